#!/usr/bin/env node
/**
 * Part of `npm run build`: what is read at run time and is no TypeScript goes to dist, where it has the place that it
 * has in src: pages, style sheets, icons. The message catalogues go beside the pages' scripts, which load them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/shell.mjs';

const SOURCE = path.join(ROOT, 'src');
const BUILD = path.join(ROOT, 'dist');

function copy(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}

for (const name of fs.readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }))
  if (/\.(html|css|svg)$/.test(name)) copy(path.join(SOURCE, name), path.join(BUILD, name));

const catalogues = path.join(SOURCE, 'language/catalogues');
for (const name of fs.readdirSync(catalogues)) copy(path.join(catalogues, name), path.join(BUILD, 'web/pages', name));
