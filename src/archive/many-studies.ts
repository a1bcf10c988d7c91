import { type ErrorCode, HilumError } from '../base/errors';
import { tryParseUid, type Uid } from '../dicom/uid';
import { type FoundSeries, readSeriesRows } from './dicom-json';
import { textAt } from './json-values';
import { searchPage, type Wire } from './wire';

const STUDY_INSTANCE_UID = '0020000D';
const FIELDS = 'includefield=0020000D&includefield=00080060&includefield=0008103E&includefield=00201209';
/** Studies per search: their UIDs, of up to 64 characters each, stand in the URL. */
const STUDIES = 50;
/** Errors that mean that the archive did not answer at all. */
const LOST: readonly ErrorCode[] = ['ARCHIVE_UNREACHABLE', 'ARCHIVE_TIMEOUT'];
/** Largest number of pages per search: a server that returns more ignores the list of UIDs. */
const MAX_PAGES = 20;

/**
 * Series of many studies by few searches, matched by a list of Study Instance UIDs (PS3.4 section C.2.2.2.2). The
 * result may be incomplete: servers cut responses, and some do not support such lists. The caller compares it with each
 * study's number of instances.
 * @throws HilumError where the archive does not answer; an error response gives an empty result
 */
export async function seriesOfStudies(wire: Wire, studies: readonly Uid[]): Promise<ReadonlyMap<Uid, FoundSeries[]>> {
  const found = new Map<Uid, FoundSeries[]>();
  for (let first = 0; first < studies.length; first += STUDIES) {
    const some = new Set<string>(studies.slice(first, first + STUDIES));
    const rows = await searchSeries(wire, [...some]);
    if (rows === null) return found;
    for (const row of rows.values()) {
      const study = tryParseUid(textAt(row, STUDY_INSTANCE_UID));
      if (study === undefined || !some.has(study)) continue;
      found.set(study, [...(found.get(study) ?? []), ...readSeriesRows([row])]);
    }
  }
  return found;
}

/** By Series Instance UID, so that duplicates count once; null where the archive refuses the search. */
async function searchSeries(wire: Wire, studies: readonly string[]): Promise<ReadonlyMap<string, unknown> | null> {
  const rows = new Map<string, unknown>();
  const path = `/series?StudyInstanceUID=${studies.join(',')}&${FIELDS}`;
  for (let [offset, page] = [0, 0]; page < MAX_PAGES; page += 1) {
    const some = await pageOrNull(wire, path, offset);
    if (some === null) return null;
    const before = rows.size;
    for (const row of some) rows.set(textAt(row, '0020000E') || JSON.stringify(row), row);
    offset += some.length;
    if (some.length < wire.pages.size || rows.size === before) break;
  }
  return rows;
}

async function pageOrNull(wire: Wire, path: string, offset: number): Promise<unknown[] | null> {
  try {
    return await searchPage(wire, path, { offset });
  } catch (error) {
    // An outage shows again at the next query, which is for a single study.
    if (error instanceof HilumError && !LOST.includes(error.code)) return null;
    throw error;
  }
}
