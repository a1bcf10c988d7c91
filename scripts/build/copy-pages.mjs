#!/usr/bin/env node
/** Part of `npm run build`: what of the pages is no TypeScript goes beside their scripts. */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/shell.mjs';

const catalogues = path.join(ROOT, 'src/language/catalogues');
const from = path.join(ROOT, 'src/web/pages');
const to = path.join(ROOT, 'dist/web/pages');
fs.mkdirSync(to, { recursive: true });
for (const name of fs.readdirSync(from).filter((file) => /\.(html|css|svg)$/.test(file)))
  fs.copyFileSync(path.join(from, name), path.join(to, name));
for (const name of fs.readdirSync(catalogues)) fs.copyFileSync(path.join(catalogues, name), path.join(to, name));
