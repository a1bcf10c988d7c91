import { type ErrorCode, HilumError } from '../base/errors';
import { tryParseUid, type Uid } from '../dicom/uid';
import { type FoundSeries, readSeriesRows } from './dicom-json';
import { textAt } from './json-values';
import { searchPage, type Wire } from './wire';

const STUDY_INSTANCE_UID = '0020000D';
const FIELDS = 'includefield=0020000D&includefield=00080060&includefield=0008103E&includefield=00201209';
/** Studies of one search: their UIDs, of 64 characters at most, stand in its URL. */
const STUDIES = 50;
/** No answer at all. */
const LOST: readonly ErrorCode[] = ['ARCHIVE_UNREACHABLE', 'ARCHIVE_TIMEOUT'];
/** Pages that a search of so many studies may take; one that shows more does not heed the UIDs. */
const MOST_PAGES = 20;

/**
 * The series of many studies by few searches: all series, matched by a list of Study Instance UIDs (PS3.4 section
 * C.2.2.2.2). What comes may be less than all there is: servers cut answers, and some do not know such lists. The
 * caller compares it with the number of instances that each study has.
 * @throws HilumError where the archive does not answer; where it answers such a search with an error nothing is found.
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

/** By Series Instance UID, so that what comes twice counts once; null where the archive refuses. */
async function searchSeries(wire: Wire, studies: readonly string[]): Promise<ReadonlyMap<string, unknown> | null> {
  const rows = new Map<string, unknown>();
  const path = `/series?StudyInstanceUID=${studies.join(',')}&${FIELDS}`;
  for (let [offset, page] = [0, 0]; page < MOST_PAGES; page += 1) {
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
    // An outage shows again at the next query, which is about a single study.
    if (error instanceof HilumError && !LOST.includes(error.code)) return null;
    throw error;
  }
}
