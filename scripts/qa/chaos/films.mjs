/** Drawing the planned studies, and sending them as a modality does. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const STORE_TIMEOUT_MS = 30_000;
const STORE_AGAIN_MS = 300;

/** Writes all films into a folder, before anything is timed. All UIDs are known from here on. */
export async function drawFilms(planned, dir, { onFilm = () => {} } = {}) {
  const { syntheticDicom, syntheticUids } = require(path.join(ROOT, 'dist/objects/synthetic-film.js'));
  const { deriveUid } = require(path.join(ROOT, 'dist/dicom/uid.js'));
  fs.mkdirSync(dir, { recursive: true });
  const studies = [];
  for (const { name, isStat, waitMs, films } of planned) {
    const studyInstanceUid = deriveUid(['chaos', name]);
    const attributes = { StudyDate: today(), ...(isStat ? { RETIRED_StudyPriorityID: 'STAT' } : {}) };
    /** @type {{studyInstanceUid: string, isStat: boolean, waitMs: number, films: string[], files: string[]}} */
    const study = { studyInstanceUid, isStat, waitMs, films: [], files: [] };
    for (const planned of films) {
      const film = { ...planned, studyInstanceUid, attributes };
      const { sopInstanceUid } = syntheticUids(film);
      const file = path.join(dir, `${sopInstanceUid}.dcm`);
      fs.writeFileSync(file, syntheticDicom(film));
      study.films.push(sopInstanceUid);
      study.files.push(file);
      onFilm();
      await sleep(0);
    }
    studies.push(study);
  }
  return studies;
}

/** By the clock of this machine, as the service's catch-up reckons. */
function today() {
  const now = new Date();
  return `${now.getFullYear()}${String(now.getMonth() + 1).padStart(2, '0')}${String(now.getDate()).padStart(2, '0')}`;
}

/**
 * Sends each film until Orthanc says that it has it, one after the other. `counts` and each study's `storedAt` (Unix
 * time in milliseconds) are kept up to date. Ends early, without an error, when `signal` says so.
 */
export async function sendStudies(studies, url, signal, counts) {
  for (const study of studies) {
    await sleep(study.waitMs, undefined, { signal }).catch(() => {});
    for (const file of study.files) await sendFilm(fs.readFileSync(file), url, signal, counts);
    if (signal.aborted) return;
    study.storedAt = Date.now();
  }
}

async function sendFilm(bytes, url, signal, counts) {
  for (; !signal.aborted; await sleep(STORE_AGAIN_MS)) {
    const status = await storeOnce(bytes, url);
    counts.tries++;
    if (status === 'Success' || status === 'AlreadyStored') {
      counts.films++;
      if (status === 'AlreadyStored') counts.alreadyStored++;
      return;
    }
    counts.failed++;
  }
}

/** Orthanc's own word, or undefined where it gave none. */
async function storeOnce(bytes, url) {
  try {
    const response = await fetch(`${url}/instances`, {
      method: 'POST',
      body: bytes,
      signal: AbortSignal.timeout(STORE_TIMEOUT_MS),
    });
    const answer = await response.json();
    return response.ok ? answer.Status : undefined;
  } catch {
    return undefined;
  }
}
