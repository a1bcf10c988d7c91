/** The films that the demo sends. Needs the build for drawn ones. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Explained, ROOT } from '../../lib/shell.mjs';
import { findFiles } from './files.cjs';

const require = createRequire(import.meta.url);

/**
 * Files of the user's own. `npm run` changes to the clone's folder; INIT_CWD is where the user was.
 * @throws Explained where there is nothing to send.
 */
export function ownFilms(given) {
  const { npm_lifecycle_event: script, INIT_CWD } = process.env;
  const { files, others } = findFiles(path.resolve((script === 'demo' && INIT_CWD) || '.', given));
  const leftOut = others.map(({ name, problem }) => ({ file: name, reason: problem }));
  if (files.length === 0)
    throw new Explained(
      leftOut[0] === undefined
        ? `${given} holds no file`
        : `${given} holds no DICOM file: of its ${leftOut.length} files the first is ${leftOut[0].file}, ` +
            leftOut[0].reason,
    );
  return { films: files.map(({ file, name }) => ({ file: name, read: () => fs.readFileSync(file) })), leftOut };
}

/**
 * One study of each kind that a newcomer should see. Drawings for the plumbing: whatever the models say of them holds,
 * so that the one that is sure to be urgent is so by its order.
 */
const DRAWN = [
  { name: 'chest PA', seed: 1, view: 'PA', modality: 'DX', rows: 1280, columns: 1100 },
  { name: 'chest lateral', seed: 1, view: 'LL', modality: 'DX', rows: 1280, columns: 1100 },
  {
    name: 'chest AP with opacities, ordered as STAT',
    seed: 2,
    view: 'AP',
    modality: 'CR',
    rows: 1024,
    columns: 1024,
    opacities: 8,
    attributes: { RequestedProcedurePriority: 'STAT' },
  },
  { name: 'chest PA', seed: 3, view: 'PA', modality: 'CR', rows: 1440, columns: 1200 },
  {
    name: 'plate without an exposure',
    seed: 4,
    view: 'AP',
    modality: 'CR',
    rows: 1024,
    columns: 1024,
    subject: 'nothing',
  },
  { name: 'hand PA', seed: 5, view: 'PA', modality: 'DX', rows: 1024, columns: 820, subject: 'hand' },
];

export function drawnFilms() {
  const { syntheticDicom } = require(path.join(ROOT, 'dist/objects/synthetic-film.js'));
  const films = DRAWN.map(({ name, attributes, ...film }) => ({
    file: name,
    // By it a study of the table is found in the list.
    read: () => syntheticDicom({ ...film, attributes: { ...attributes, StudyDescription: descriptionOf(film.seed) } }),
  }));
  return { films, leftOut: [] };
}

/** The films of a seed are one study. */
function descriptionOf(study) {
  const names = DRAWN.filter(({ seed }) => seed === study).map(({ name }) => name);
  return `Drawn: ${names.join(' and ')}`;
}
