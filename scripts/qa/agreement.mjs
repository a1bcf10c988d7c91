/**
 * npm run agreement [-- --json]: the grey values that enter the models against an independent reader (pydicom with
 * GDCM, OpenJPEG for HTJ2K), file by file: every file of HILUM_DATA_DIR/dicom, where there is one, and generated films
 * of every transfer syntax and bit depth, and films that break the encoding rules. The same code as
 * test/dicom/real-files.slow.test.ts. Exit status 0 only when each film that both read agrees within one grey level of
 * 255 at the 99th percentile, all generated films are read by both, all that break the rules by Hilum, and each comes
 * from an archive byte for byte, in whichever way the archive sends it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from '../dev/setup.mjs';
import { openServer, RETRIEVALS } from '../lib/archive-answers.mjs';
import { ROOT, runMain, say } from '../lib/shell.mjs';

const require = createRequire(import.meta.url);

async function main() {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  await ensure({ judges: true });
  require('../lib/typescript.cjs');
  const { compare, LIMIT } = require('../../test/support/films/agreement.ts');
  const { oddFilms } = require('../../test/support/films/odd-films.ts');
  const { generatedFilms } = require('../../test/support/films/generated-films.ts');
  const { decodePixels } = require(path.join(ROOT, 'dist/dicom/pixels.js'));
  const { readPart10 } = require(path.join(ROOT, 'dist/dicom/read.js'));
  const decode = async (bytes) => decodePixels(readPart10(bytes));
  const group = async (films) => {
    const found = await compare(films, decode);
    return { films: found, summary: summarise(found, LIMIT) };
  };
  const groups = {
    generated: await group(await generatedFilms()),
    odd: await group(oddFilms()),
    real: await group(realFilms()),
  };
  const changed = await changedByArchive(await generatedFilms());
  const ofEach = (what) => Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, group[what]]));
  const passed =
    Object.values(groups).every(({ summary: { within, both } }) => within === both) &&
    groups.generated.summary.both === groups.generated.summary.files &&
    groups.odd.summary.unreadByUs === 0 &&
    changed.length === 0;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ passed, summary: ofEach('summary'), changed, ...ofEach('films') })}\n`
      : `${Object.entries(groups)
          .map(([name, { films, summary }]) => table(name, films, summary))
          .join(
            '\n',
          )}\n${changed.map((what) => `changed on the way from the archive: ${what}\n`).join('')}${passed ? 'all agree' : 'NOT all agree'}\n`,
  );
  return passed ? 0 : 1;
}

/** Films that are not what was sent, with the way in which they were. */
async function changedByArchive(films) {
  const { dicomWebArchive } = require(path.join(ROOT, 'dist/archive/dicomweb.js'));
  const server = await openServer();
  const archive = dicomWebArchive({ url: server.url });
  const place = { studyInstanceUid: '1.2.3', seriesInstanceUid: '1.2.3.1', sopInstanceUid: '1.2.3.1.1' };
  const changed = [];
  for (const { name, bytes } of films) {
    for (const [way, send] of Object.entries(RETRIEVALS)) {
      server.says.answer = send(Buffer.from(bytes));
      const came = await archive.retrieve(place).catch((error) => Buffer.from(String(error)));
      if (!Buffer.from(bytes).equals(Buffer.from(came))) changed.push(`${name}, ${way}`);
    }
  }
  await archive.close();
  server.close();
  return changed;
}

function realFilms() {
  const folder = path.join(process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data'), 'dicom');
  if (!fs.existsSync(folder)) say(`no real files: there is no folder ${folder} (HILUM_DATA_DIR)`);
  const names = fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .filter((name) => name.endsWith('.dcm'))
        .sort()
    : [];
  return names.map((name) => ({ name, bytes: fs.readFileSync(path.join(folder, name)) }));
}

function summarise(films, limit) {
  const both = films.filter(({ p99 }) => p99 !== null);
  return {
    files: films.length,
    both: both.length,
    within: both.filter(({ p99 }) => p99 <= limit).length,
    worstP99: Math.max(0, ...both.map(({ p99 }) => p99)),
    unreadByUs: films.filter(({ unread }) => unread.ours !== undefined).length,
    unreadByThem: films.filter(({ unread }) => unread.theirs !== undefined).length,
  };
}

function table(group, films, { files, both, within, worstP99 }) {
  const reason = (of, why) => (why ? `\n            ${of}: ${why}` : '');
  const line = ({ name, p99, unread }) =>
    `  ${p99 === null ? 'unread' : p99.toFixed(3).padStart(6)}  ${name}` +
    `${reason('not by Hilum', unread.ours)}${reason('no reference', unread.theirs)}`;
  return (
    `${group} films: 99th percentile of the difference, grey levels of 255\n${films.map(line).join('\n')}\n` +
    `${group}: ${within} of ${both} films that both readers read are within one grey level ` +
    `(worst ${worstP99.toFixed(3)}); ${files} files\n`
  );
}

await runMain(main);
