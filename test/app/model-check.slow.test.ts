import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { tinyModel } from '../support/pipeline/tiny-model';

const ROOT = resolve(__dirname, '../..');

describe('as a command', () => {
  const hilum = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), ...args], { encoding: 'utf8' });

  test('an installed model by its id, one JSON line for each finding and nothing else', () => {
    const { status, stdout, stderr } = hilum('models', 'check', 'lungs-unet16', '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; ok: boolean });
    expect(findings.find(({ check }) => check === 'engine')).toMatchObject({
      ok: true,
      text: expect.stringContaining('onnxruntime-node 1.'),
    });
    expect(findings.every(({ ok }) => ok)).toBe(true);
  });

  test('a TensorFlow.js model in a folder of its own, with the built thread', () => {
    const { status, stdout, stderr } = hilum('models', 'check', tinyModel());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok    '))).toEqual([]);
  });

  test('a folder goes before the installed models, also without a manifest; a linked model folder is listed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-check-'));
    mkdirSync(join(dir, 'mine'));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), ...args], { encoding: 'utf8', cwd: dir });
    expect(run('models', 'check', 'mine').stdout).toMatch(
      /^WRONG manifest: MODEL_INVALID: mine\/manifest.json can't be read/,
    );
    rmSync(join(dir, 'mine'), { recursive: true });
    symlinkSync(join(ROOT, 'models/lungs-unet16'), join(dir, 'lungs-unet16'));
    expect(run('models', '--dir', '.')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('lungs-unet16 3.0.0 (lungs)'),
    });
    rmSync(dir, { recursive: true, force: true });
  });

  test('what is wrong is told, and in the exit status', () => {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-check-'));
    const folder = join(dir, 'lungs-unet16');
    cpSync(join(ROOT, 'models/lungs-unet16'), folder, { recursive: true });
    const network = readFileSync(join(folder, 'model.onnx'));
    network[network.length >> 1]! ^= 1;
    writeFileSync(join(folder, 'model.onnx'), network);
    const { status, stdout } = hilum('models', 'check', folder);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^WRONG files: MODEL_DIGEST_MISMATCH/m);
    rmSync(dir, { recursive: true, force: true });
  });

  test.each([
    [['models', 'check'], 'DIR|ID is missing'],
    [['models', 'weigh', 'x'], 'no command models weigh'],
    [['models', 'check', 'a', 'b'], 'one folder or id'],
  ])('%j is explained', (args, text) => {
    expect(hilum(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(text) });
  });
});
