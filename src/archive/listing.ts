import { HilumError } from '../base/errors';
import type { Uid } from '../dicom/uid';
import { type FoundSeries, readSeriesRows, readStudyCounts, type StudyCounts } from './dicom-json';
import { textAt } from './json-values';
import { search, searchPage, type Wire } from './wire';

/**
 * Lists all instances or series of a study. Servers cut responses at limits of their own, may ignore `offset`, and do
 * not say so. So the list is compared with the archive's own numbers: Number of Study Related Series and Instances
 * (0020,1206), (0020,1208), Number of Series Related Instances (0020,1209). Where it has none, pages are read until one
 * is empty.
 */

const SERIES_INSTANCE_UID = '0020000E';
const SOP_INSTANCE_UID = '00080018';
const INSTANCE_FIELDS = 'includefield=00080060&includefield=00080016';
const SERIES_FIELDS = 'includefield=00080060&includefield=0008103E&includefield=00201209';

/** Where a server ignores `offset` and reports no number, fewer rows than this are taken to be all. */
const MIN_CUT = 10;

interface Listing {
  /** By UID; rows without a UID by their text, so that duplicates count once. */
  readonly rows: ReadonlyMap<string, unknown>;
  /** `agrees`: the number of rows is the reported one; `repeats`: the server ignores `offset`, or its order changes. */
  readonly end: 'agrees' | 'empty' | 'repeats';
}

interface Expected {
  readonly path: string;
  readonly keyTag: string;
  /** Whether these are all rows; called after each page. */
  readonly isAll: (rows: ReadonlyMap<string, unknown>) => boolean | Promise<boolean>;
  readonly timeoutMs?: number | undefined;
}

async function list(wire: Wire, { path, keyTag, isAll, timeoutMs }: Expected): Promise<Listing> {
  const rows = new Map<string, unknown>();
  for (let offset = 0; ;) {
    const page = await searchPage(wire, path, { offset, timeoutMs });
    const before = rows.size;
    for (const row of page) rows.set(textAt(row, keyTag) || JSON.stringify(row), row);
    offset += page.length;
    if (rows.size > wire.maxInstances)
      throw new HilumError(
        'ARCHIVE_RESPONSE_INVALID',
        'permanent',
        `the study has more than ${wire.maxInstances} instances`,
      );
    if (page.length === 0) return { rows, end: 'empty' };
    if (rows.size === before) return { rows, end: 'repeats' };
    if (await isAll(rows)) return { rows, end: 'agrees' };
  }
}

/** The archive's numbers of series and instances, asked for once per listing and only when needed. */
function countsOf(wire: Wire, study: Uid, timeoutMs?: number): () => Promise<StudyCounts> {
  let asked: Promise<StudyCounts> | undefined;
  const path = `/studies?StudyInstanceUID=${study}&includefield=00201206&includefield=00201208&limit=1`;
  const ask = async () => readStudyCounts(await search(wire, path, { timeoutMs }), study);
  return () => (asked ??= ask());
}

/**
 * Rows of all instances of a study; empty where the archive has none.
 * @param wanted if given, the list may end once all of these are found
 * @throws HilumError ARCHIVE_RESPONSE_INVALID when the archive lists fewer than it reports: transient, as the numbers
 * may be ahead of the list; permanent above `maxInstances`
 */
export async function listInstances(wire: Wire, study: Uid, wanted: readonly Uid[] = []): Promise<unknown[]> {
  const counts = countsOf(wire, study);
  const isShown = (rows: ReadonlyMap<string, unknown>) => wanted.length > 0 && wanted.every((uid) => rows.has(uid));
  const listed = await list(wire, {
    path: `/studies/${study}/instances?${INSTANCE_FIELDS}`,
    keyTag: SOP_INSTANCE_UID,
    isAll: async (rows) => isShown(rows) || rows.size >= ((await counts()).instances ?? Infinity),
  });
  if (listed.end === 'agrees' || isBelieved(listed, (await counts()).instances)) return [...listed.rows.values()];
  return listBySeries(wire, study, listed.rows, counts);
}

/** Lists series by series what one search did not return. */
async function listBySeries(
  wire: Wire,
  study: Uid,
  listed: ReadonlyMap<string, unknown>,
  counts: () => Promise<StudyCounts>,
): Promise<unknown[]> {
  const expected = (await counts()).instances;
  const rows = new Map(listed);
  const shown = countBySeries(listed.values());
  let [agrees, isBelievable] = [true, true];
  for (const { seriesInstanceUid: uid, instances } of await listSeries(wire, study, undefined, counts)) {
    if (uid !== null && instances !== null && (shown.get(uid) ?? 0) >= instances) continue;
    const part = uid === null ? null : await listOneSeries(wire, study, uid, instances);
    for (const [key, row] of part?.rows ?? []) rows.set(key, row);
    agrees &&= part?.end === 'agrees';
    isBelievable &&= part !== null && isBelieved(part, instances);
  }
  if (rows.size >= (expected ?? Infinity) || (expected === null ? isBelievable : agrees)) return [...rows.values()];
  throw cut(`${rows.size} of ${expected ?? 'an unknown number of'} instances`, 'transient');
}

function listOneSeries(wire: Wire, study: Uid, series: Uid, instances: number | null): Promise<Listing> {
  return list(wire, {
    path: `/studies/${study}/series/${series}/instances?${INSTANCE_FIELDS}`,
    keyTag: SOP_INSTANCE_UID,
    isAll: ({ size }) => size >= (instances ?? Infinity),
  });
}

function countBySeries(rows: Iterable<unknown>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const uid = textAt(row, SERIES_INSTANCE_UID);
    counts.set(uid, (counts.get(uid) ?? 0) + 1);
  }
  return counts;
}

/** Whether a listing is complete, as far as this can be known. */
function isBelieved({ end, rows }: Listing, expected: number | null): boolean {
  return end === 'agrees' || (expected === null && (end === 'empty' || rows.size < MIN_CUT));
}

/**
 * All series of a study; empty for a study that the archive does not know.
 * @throws HilumError ARCHIVE_RESPONSE_INVALID, permanent, when the archive lists fewer than it reports
 */
export async function listSeries(
  wire: Wire,
  study: Uid,
  timeoutMs?: number,
  counts = countsOf(wire, study, timeoutMs),
): Promise<FoundSeries[]> {
  const listed = await list(wire, {
    path: `/studies/${study}/series?${SERIES_FIELDS}`,
    keyTag: SERIES_INSTANCE_UID,
    isAll: async ({ size }) => size >= ((await counts()).series ?? Infinity),
    timeoutMs,
  });
  const series = readSeriesRows([...listed.rows.values()]);
  if (listed.end === 'agrees') return series;
  const expected = await counts();
  const instances = series.reduce((sum, { instances: of }) => sum + (of ?? 0), 0);
  if (isBelieved(listed, expected.series) || instances >= (expected.instances ?? Infinity)) return series;
  throw cut(`${series.length} of ${expected.series ?? 'an unknown number of'} series`, 'permanent');
}

const cut = (what: string, lasting: 'transient' | 'permanent') =>
  new HilumError(
    'ARCHIVE_RESPONSE_INVALID',
    lasting,
    `the archive lists ${what} of the study and holds back the others: raise the limit of its search results`,
  );
