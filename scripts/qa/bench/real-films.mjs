/**
 * node scripts/qa/bench/real-films.mjs FOLDER: writes real films of HILUM_DATA_DIR into FOLDER and prints, as JSON,
 * those that Hilum analyses to the end: the chest films of `dicom` as they are, and pictures (PNG, JPEG) of `cxr` as
 * DICOM films of their own size. Nothing of them is kept.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { isMain, ROOT } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));
const { openPicture, kindOf } = dist('pipeline/picture-file.js');
const { decodePixels } = dist('dicom/pixels.js');
const { syntheticDicom } = dist('objects/synthetic-film.js');
const { open } = dist('pipeline/decode.js');
const { analyseFilm } = dist('pipeline/pipeline.js');
const { pipelineSettings, openPipeline } = dist('app/pipeline.js');

/** With the DICOM films enough for a block. */
const PICTURES = 8;
const GREY_LEVELS = 256;

/** Where real films are, if there are any. */
export const DATA = process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data');

async function main(folder) {
  const line = await openPipeline(pipelineSettings());
  const found = [];
  for (const [i, bytes] of [...dicomFiles(), ...(await pictures())].entries()) {
    const uids = await uidsOfAnalysed(bytes, line);
    if (uids === null) continue;
    const file = path.join(folder, `real-${i}.dcm`);
    fs.writeFileSync(file, bytes);
    found.push({ file, uids });
  }
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
}

function dicomFiles() {
  const folder = path.join(DATA, 'dicom');
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
  return names.filter((name) => name.endsWith('.dcm')).map((name) => fs.readFileSync(path.join(folder, name)));
}

/** Frontal films of the test split, dealt over its whole length. */
function pictures() {
  const manifest = path.join(DATA, 'cxr/manifest.csv');
  if (!fs.existsSync(manifest)) return [];
  /** @type {Record<string, string>[]} */
  const all = parse(fs.readFileSync(manifest), { columns: true });
  const rows = all.filter(({ split, view }) => split === 'test' && view !== 'L');
  const step = Math.max(1, Math.floor(rows.length / PICTURES));
  const chosen = rows.filter((_, i) => i % step === 0).slice(0, PICTURES);
  return Promise.all(chosen.map((row, i) => asFilm(fs.readFileSync(path.join(DATA, 'cxr', row.path ?? '')), i)));
}

/** A picture's grey values in place of a drawing of the same size. */
async function asFilm(picture, seed) {
  const { rows, columns, values } = await decodePixels(openPicture(picture, kindOf(picture)).opened);
  const stored = Uint16Array.from(values, (value) => Math.round(value * (GREY_LEVELS - 1)));
  const attributes = {
    SeriesDescription: 'Chest film from a picture',
    WindowCenter: String(GREY_LEVELS / 2),
    WindowWidth: String(GREY_LEVELS),
    PixelData: [stored.buffer],
  };
  return syntheticDicom({ seed, view: 'PA', rows, columns, attributes });
}

/** Null for what is refused (it costs less, and a figure with it in means nothing), and what can be no study. */
async function uidsOfAnalysed(bytes, line) {
  const { outcome } = await analyseFilm(bytes, line);
  if (outcome !== 'analysed') return null;
  const { attributes, sopInstanceUid } = await open(bytes, line.reader);
  const { StudyInstanceUID: studyInstanceUid, SeriesInstanceUID: seriesInstanceUid } = attributes;
  const uids = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
  return Object.values(uids).every((uid) => typeof uid === 'string') ? uids : null;
}

if (isMain(import.meta.url)) await main(process.argv[2]);
