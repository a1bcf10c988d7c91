import { type Kysely, type RawBuilder, sql } from 'kysely';
import { offsetSpans } from '../base/time-zone';
import { PRIORITIES, type Priority } from '../events/priority';
import type { Schema } from './schema';

/**
 * Steps of a study from arrival to reading. `first-come`: from arrival to reading, if each reading had taken the study
 * that waited longest.
 */
export const TURNAROUND_STEPS = ['result', 'opened', 'read', 'total', 'first-come'] as const;
export type TurnaroundStep = (typeof TURNAROUND_STEPS)[number];

export interface StepFigures {
  /** Number of studies in the figures. */
  readonly studies: number;
  /** Median and 90th percentile in milliseconds, as observed values (nearest rank). Null where there is none. */
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  /** Number of studies whose step has not ended yet. */
  readonly notYet: number;
}

export interface TurnaroundGroup {
  readonly priority: Priority;
  /** Hour of arrival in the site's time zone, 0 to 23; null for all hours together. */
  readonly hour: number | null;
  readonly arrived: number;
  readonly steps: Readonly<Record<TurnaroundStep, StepFigures>>;
}

export interface Turnaround {
  /** Arrivals from `from` until before `to` (milliseconds since 1970). */
  readonly from: number;
  readonly to: number;
  /** More studies arrived; these are the latest. */
  readonly isCut: boolean;
  /** Studies whose arrival is unknown (their results were read back from the archive); they are in no group. */
  readonly withoutArrival: number;
  /** All priorities for all hours, then those of each hour with arrivals, in order. */
  readonly groups: readonly TurnaroundGroup[];
}

export interface TurnaroundRequest {
  readonly from: number;
  readonly to: number;
  /** IANA name, for the hours. */
  readonly timeZone: string;
}

/** Largest number of studies computed with, the latest. */
const MAX_STUDIES = 100_000;

/** Start and end of each step; a study counts if it has both, in this order. */
const BOUNDS = {
  result: ['arrived_at', 'first_result_at'],
  opened: ['first_result_at', 'first_opened_at'],
  read: ['first_opened_at', 'first_read_at'],
  total: ['arrived_at', 'first_read_at'],
} as const satisfies Partial<Record<TurnaroundStep, readonly [string, string]>>;

type Bounded = keyof typeof BOUNDS;
const BOUNDED = Object.keys(BOUNDS) as Bounded[];

interface CountRow extends Readonly<Record<`without_${Bounded}`, number>> {
  readonly urgent: number;
  readonly hour: number;
  readonly arrived: number;
}

interface QuantileRow {
  readonly urgent: number;
  readonly hour: number | null;
  readonly studies: number;
  readonly median: number;
  readonly p90: number;
}

/**
 * Turnaround of the studies on the list that arrived in a period, without hidden ones. A study is urgent if order, RIS,
 * finding or a user make it so at present, also if a verdict has disagreed with the finding since, as that did not
 * affect its waiting. Computed in the database: no row is read.
 */
export async function turnaroundOf(db: Kysely<Schema>, request: TurnaroundRequest): Promise<Turnaround> {
  const found = await earliestOf(db, request);
  const arrivals = arrivalsOf({ ...request, from: found.from });
  const counts = await countsOf(db, arrivals);
  const figures = new Map<TurnaroundStep, readonly QuantileRow[]>();
  for (const step of BOUNDED) figures.set(step, await quantilesOf(db, arrivals, waitsOf(step)));
  figures.set('first-come', await quantilesOf(db, arrivals, FIRST_COME));
  const hours = [...new Set(counts.map(({ hour }) => hour))].sort((a, b) => a - b);
  return {
    from: found.from,
    to: request.to,
    isCut: found.isCut,
    withoutArrival: await countWithoutArrival(db, { ...request, from: found.from }),
    groups: [null, ...hours].flatMap((hour) =>
      PRIORITIES.map((priority) => groupOf(priority, hour, counts, figures)).filter(
        ({ arrived }) => hour === null || arrived > 0,
      ),
    ),
  };
}

const IN_TIME = ({ from, to }: Pick<TurnaroundRequest, 'from' | 'to'>) =>
  sql`state <> 'left-alone' and hidden = 0 and arrived_at >= ${from} and arrived_at < ${to}`;
/** A row that was made from a result has the result's time as its arrival. */
const IS_ARRIVAL_KNOWN = sql`(first_result_at is null or arrived_at < first_result_at)`;

async function earliestOf(db: Kysely<Schema>, request: TurnaroundRequest): Promise<{ from: number; isCut: boolean }> {
  const { rows } = await sql<{ arrived_at: number }>`select arrived_at from study where ${IN_TIME(request)}
    order by arrived_at desc limit 1 offset ${MAX_STUDIES}`.execute(db);
  // From the next instant on, so that of several studies at the same one none is left out at random.
  return rows[0] === undefined ? { from: request.from, isCut: false } : { from: rows[0].arrived_at + 1, isCut: true };
}

async function countWithoutArrival(db: Kysely<Schema>, request: TurnaroundRequest): Promise<number> {
  const { rows } = await sql<{ studies: number }>`select count(*) as studies from study
    where ${IN_TIME(request)} and not ${IS_ARRIVAL_KNOWN}`.execute(db);
  return rows[0]!.studies;
}

/** The studies as a table `arrival`. */
function arrivalsOf(request: TurnaroundRequest): RawBuilder<unknown> {
  return sql`arrival as materialized (select arrived_at, first_result_at, first_opened_at, first_read_at,
    case when triage_priority = 'urgent' or ris_priority = 'urgent' or finding_priority = 'urgent'
      or person_priority = 'urgent' then 1 else 0 end as urgent,
    ((arrived_at + ${offsetOf(request)}) / 3600000) % 24 as hour
    from study where ${IN_TIME(request)} and ${IS_ARRIVAL_KNOWN})`;
}

/** Offset of the site's time zone from UTC at an arrival; a few values, as clocks change twice a year. */
function offsetOf({ from, to, timeZone }: TurnaroundRequest): RawBuilder<number> {
  const spans = offsetSpans(from, to, timeZone);
  const last = sql.lit(spans.at(-1)!.offsetMs);
  if (spans.length === 1) return last;
  const before = spans
    .slice(0, -1)
    .map(({ until, offsetMs }) => sql`when arrived_at < ${sql.lit(until)} then ${sql.lit(offsetMs)}`);
  return sql`case ${sql.join(before, sql` `)} else ${last} end`;
}

/**
 * Number of arrivals, and of those whose step has not ended. A study that was read without being opened will not be
 * opened any more.
 */
async function countsOf(db: Kysely<Schema>, arrivals: RawBuilder<unknown>): Promise<readonly CountRow[]> {
  const lacking = BOUNDED.map((step) => {
    const isOver = step === 'result' ? sql`first_result_at` : sql`coalesce(first_read_at, ${sql.ref(BOUNDS[step][1])})`;
    return sql`count(*) - count(${isOver}) as ${sql.ref(`without_${step}`)}`;
  });
  const { rows } = await sql<CountRow>`with ${arrivals} select urgent, hour, count(*) as arrived,
    ${sql.join(lacking)} from arrival group by urgent, hour`.execute(db);
  return rows;
}

/** A table `waited` for one step: study, and duration in milliseconds. */
function waitsOf(step: Bounded): RawBuilder<unknown> {
  const [begin, end] = BOUNDS[step].map((column) => sql.ref(column));
  return sql`waited as (select urgent, hour, ${end} - ${begin} as ms from arrival where ${end} >= ${begin})`;
}

/**
 * First come, first read, over the studies that were read: the same arrivals and readings, but each reading takes the
 * study that has waited longest. As every reading had an arrived study, the n-th reading takes the n-th arrival.
 */
const FIRST_COME = sql`placed as materialized (select urgent, hour, arrived_at, first_read_at,
    row_number() over (order by arrived_at, first_read_at) as arrival_place,
    row_number() over (order by first_read_at, arrived_at) as reading_place
    from arrival where first_read_at >= arrived_at),
  waited as (select taken.urgent, taken.hour, reading.first_read_at - taken.arrived_at as ms
    from placed as taken inner join placed as reading on reading.reading_place = taken.arrival_place)`;

/**
 * By priority, and by priority and hour: the values at ranks n / 2 and 9n / 10, rounded up, in integer arithmetic
 * (PostgreSQL's sum has to be cast).
 */
async function quantilesOf(
  db: Kysely<Schema>,
  arrivals: RawBuilder<unknown>,
  waits: RawBuilder<unknown>,
): Promise<readonly QuantileRow[]> {
  const { rows } = await sql<QuantileRow>`with ${arrivals}, ${waits},
    placed_waits as materialized (select urgent, hour, ms,
      row_number() over (partition by urgent order by ms) as place,
      row_number() over (partition by urgent, hour order by ms) as place_in_hour from waited),
    counted as materialized (select urgent, hour, count(*) as studies from placed_waits group by urgent, hour),
    counted_all as materialized (select urgent, cast(sum(studies) as bigint) as studies from counted group by urgent)
    select urgent, cast(null as bigint) as hour, max(studies) as studies,
      max(case when place = (studies + 1) / 2 then ms end) as median,
      max(case when place = (9 * studies + 9) / 10 then ms end) as p90
      from placed_waits inner join counted_all using (urgent) group by urgent
    union all select urgent, hour, max(studies) as studies,
      max(case when place_in_hour = (studies + 1) / 2 then ms end) as median,
      max(case when place_in_hour = (9 * studies + 9) / 10 then ms end) as p90
      from placed_waits inner join counted using (urgent, hour) group by urgent, hour`.execute(db);
  return rows;
}

function groupOf(
  priority: Priority,
  hour: number | null,
  counts: readonly CountRow[],
  figures: ReadonlyMap<TurnaroundStep, readonly QuantileRow[]>,
): TurnaroundGroup {
  const urgent = priority === 'urgent' ? 1 : 0;
  const own = counts.filter((row) => row.urgent === urgent && (hour === null || row.hour === hour));
  const stepOf = (step: TurnaroundStep): StepFigures => {
    const found = figures.get(step)?.find((row) => row.urgent === urgent && row.hour === hour);
    const end = step === 'first-come' ? 'total' : step;
    return {
      studies: found?.studies ?? 0,
      medianMs: found?.median ?? null,
      p90Ms: found?.p90 ?? null,
      notYet: own.reduce((sum, row) => sum + row[`without_${end}`], 0),
    };
  };
  return {
    priority,
    hour,
    arrived: own.reduce((sum, row) => sum + row.arrived, 0),
    steps: Object.fromEntries(TURNAROUND_STEPS.map((step) => [step, stepOf(step)])) as TurnaroundGroup['steps'],
  };
}
