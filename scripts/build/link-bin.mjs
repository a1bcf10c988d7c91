#!/usr/bin/env node
/** Last step of `npm run build`: `npx hilum` in the clone is this build; and when it was done. */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/shell.mjs';
import { BUILD_STAMP } from '../dev/setup.mjs';

/** Units and containers start it without the launcher. */
const program = path.join(ROOT, 'dist/cli.js');
const target = path.join(ROOT, 'bin/hilum.js');
const link = path.join(ROOT, 'node_modules/.bin/hilum');
if (fs.existsSync(program)) fs.chmodSync(program, 0o755);
if (fs.existsSync(target)) {
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(path.dirname(link), target), link);
}
fs.writeFileSync(BUILD_STAMP, '');
