import type { Log } from '../base/log';
import type { Uid } from '../dicom/uid';
import { type Cursor, type CursorStore, extend, shrink } from './cursor';
import type { Batch, Candidate, Source } from './source';

interface Change {
  readonly seq: number;
  readonly type: string;
  readonly resource: { readonly level: string; readonly id: string };
  readonly date: string;
}

/** Port: `archive/orthanc` fits it by shape. */
export interface ChangeList {
  last(): Promise<number>;
  changes(since: number, limit: number): Promise<readonly Change[]>;
  studyOf(resource: Change['resource']): Promise<Uid | null>;
}

/**
 * Types of changes that can bring a film. Not NewInstance, which would cost a query for each slice of each CT: an
 * instance that joins an existing series makes its study stable again.
 */
const RELEVANT_TYPES = new Set(['NewStudy', 'StableStudy', 'NewSeries']);
/** Changes per request; Orthanc's own limit. */
const PAGE = 100;
const DAY_MS = 86_400_000;

/**
 * Studies of Orthanc's list of changes, newest first. A cursor on disk moves only after a batch is done. From the
 * second round on, changes since the round before are left to the next one: their events are most likely on their way.
 */
export function changesOf(
  list: ChangeList,
  store: CursorStore,
  windowDays: number,
  log: Log,
  now: () => number = Date.now,
): Source {
  let settled: number | undefined;
  return {
    lags: true,
    async *batches() {
      const last = await list.last();
      let cursor = extend(
        await startingPoint(store, last, new Date(now() - windowDays * DAY_MS), log),
        Math.min(settled ?? last, last),
      );
      settled = last;
      const keep = async (next: Cursor) => store.save((cursor = next));
      await keep(cursor);
      while (cursor.gaps.length > 0) yield await newest(list, cursor, keep);
    },
  };
}

/**
 * The stored cursor. Where there is none, or it is ahead of this Orthanc's list, a new one that leaves the whole list
 * to do, back to the start of the window.
 */
async function startingPoint(store: CursorStore, last: number, windowStart: Date, log: Log): Promise<Cursor> {
  const stored = await store.load();
  if (typeof stored === 'object' && stored.seen <= last) return stored;
  if (stored !== 'none')
    log.warn({ event: 'catch-up.cursor-reset' }, "the cursor on Orthanc's changes can't be used; starting anew");
  return { seen: 0, gaps: [], notBefore: stamp(windowStart) };
}

/** The newest page of the newest gap. */
async function newest(list: ChangeList, cursor: Cursor, keep: (next: Cursor) => Promise<void>): Promise<Batch> {
  const gap = cursor.gaps.at(-1)!;
  const since = Math.max(gap.low, gap.high - PAGE);
  const changes = (await list.changes(since, PAGE)).filter(({ seq }) => seq <= gap.high);
  const recent = changes.filter(({ date }) => date >= cursor.notBefore);
  const isBeforeWindow = changes.length > 0 && recent.length === 0;
  return {
    studies: await studiesOf(list, recent),
    done: () => keep(isBeforeWindow ? { ...cursor, gaps: [] } : shrink(cursor, since)),
  };
}

async function studiesOf(list: ChangeList, changes: readonly Change[]): Promise<Candidate[]> {
  const resources = new Map(
    [...changes]
      .reverse()
      .filter(({ type }) => RELEVANT_TYPES.has(type))
      .map(({ resource }) => [`${resource.level}/${resource.id}`, resource]),
  );
  const studies = new Set<Uid>();
  for (const resource of resources.values()) {
    const study = await list.studyOf(resource);
    if (study !== null) studies.add(study);
  }
  return [...studies].map((studyInstanceUid) => ({ studyInstanceUid, modalities: null, instances: null }));
}

/** A time as Orthanc writes it. Orthanc's time zone may be another one, which moves the edge of the window by hours. */
function stamp(moment: Date): string {
  return moment.toISOString().replace(/[-:]|\.\d+Z$/g, '');
}
