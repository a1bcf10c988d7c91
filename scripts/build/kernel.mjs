/**
 * npm run kernel [-- --check]: compiles src/imaging/assembly/rows.ts (AssemblyScript) to WebAssembly and writes it as
 * text into src/imaging/rows-wasm.ts, so that neither a build nor a test needs the compiler. --check writes nothing and
 * ends with exit status 1 where the file differs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as asc from 'assemblyscript/asc';
import { Explained, ROOT, runMain, say } from '../lib/shell.mjs';

const SOURCE = 'src/imaging/assembly/rows.ts';
const TARGET = 'src/imaging/rows-wasm.ts';

async function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const text = `// Made from ${SOURCE} by npm run kernel.\nexport const ROWS_WASM =\n  '${(await compile()).toString('base64')}';\n`;
  const file = path.join(ROOT, TARGET);
  const isCurrent = fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text;
  if (values.check && !isCurrent) throw new Explained(`${TARGET} is not as ${SOURCE} has it, run npm run kernel`);
  if (isCurrent) return;
  fs.writeFileSync(file, text);
  say(TARGET);
}

async function compile() {
  let binary = Buffer.alloc(0);
  const options = ['-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--importMemory'];
  const { error, stderr } = await asc.main(['rows.ts', '--outFile', 'rows.wasm', ...options], {
    readFile: (name) => (name === 'rows.ts' ? fs.readFileSync(path.join(ROOT, SOURCE), 'utf8') : null),
    writeFile: (name, contents) => void (name === 'rows.wasm' && (binary = Buffer.from(contents))),
    listFiles: () => [],
  });
  if (error) throw new Explained(`${SOURCE} does not compile:\n${stderr}`);
  return binary;
}

await runMain(main);
