import { type Kysely, type RawBuilder, sql } from 'kysely';
import { offsetSpans } from '../base/time-zone';
import { PRIORITIES, type Priority } from '../events/priority';
import type { Schema } from './schema';

/**
 * The steps of a study from its arrival to its reading. `first-come`: from arrival to reading, had each reading taken
 * the study that had waited longest.
 */
export const TURNAROUND_STEPS = ['result', 'opened', 'read', 'total', 'first-come'] as const;
export type TurnaroundStep = (typeof TURNAROUND_STEPS)[number];

export interface StepFigures {
  /** How many the figures are of. */
  readonly studies: number;
  /**
   * Milliseconds that half, and nine in ten, of them took at most: those of one of them, as they are (nearest rank).
   * Null where there is none.
   */
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  /** Where the step has not ended yet. */
  readonly notYet: number;
}

export interface TurnaroundGroup {
  readonly priority: Priority;
  /** Hour of the arrival on the site's clocks, 0 to 23; null is all hours together. */
  readonly hour: number | null;
  readonly arrived: number;
  readonly steps: Readonly<Record<TurnaroundStep, StepFigures>>;
}

export interface Turnaround {
  /** Arrivals from `from` until before `to` (milliseconds since 1970). */
  readonly from: number;
  readonly to: number;
  /** More arrived: these are the latest of them. */
  readonly isCut: boolean;
  /** In none of the groups: nobody told when they came (their results were read back from the archive). */
  readonly withoutArrival: number;
  /** All priorities for all hours, then those of hours in which a study came, in their order. */
  readonly groups: readonly TurnaroundGroup[];
}

export interface TurnaroundRequest {
  readonly from: number;
  readonly to: number;
  /** IANA name, for the hours. */
  readonly timeZone: string;
}

/** So many studies, the latest, are computed with. */
const MOST_STUDIES = 100_000;

/** Beginning and end of each step; a study that has both, in this order, counts. */
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
 * Turnaround of the studies on the list that arrived in a time, those hidden left aside. A study counts as urgent where
 * order, RIS, finding or a person call it so as it stands now, though a verdict has disagreed with the finding: what
 * ended its waiting does not change how it waited. Of the database alone: no row leaves it.
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
/** A row that was made from a result has that result's time as its arrival. */
const IS_ARRIVAL_KNOWN = sql`(first_result_at is null or arrived_at < first_result_at)`;

async function earliestOf(db: Kysely<Schema>, request: TurnaroundRequest): Promise<{ from: number; isCut: boolean }> {
  const { rows } = await sql<{ arrived_at: number }>`select arrived_at from study where ${IN_TIME(request)}
    order by arrived_at desc limit 1 offset ${MOST_STUDIES}`.execute(db);
  // From the next instant on: of several at the same one none is left out by chance.
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

/** What the site's clocks are ahead of UTC at an arrival: a few numbers, as they are set twice a year. */
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
 * How many came, and for how many of them a step has not ended yet. What was read without being opened will not be
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

/** A table `waited` of one step: whose, and how long (milliseconds). */
function waitsOf(step: Bounded): RawBuilder<unknown> {
  const [begin, end] = BOUNDS[step].map((column) => sql.ref(column));
  return sql`waited as (select urgent, hour, ${end} - ${begin} as ms from arrival where ${end} >= ${begin})`;
}

/**
 * First come, first read, of the studies that were read: the same arrivals and the same readings, each of which takes
 * the study that has waited longest. Since every reading had a study that was there, the first reading finds the first
 * arrival, and so on: what is to be paired has the same place in both orders.
 */
const FIRST_COME = sql`placed as materialized (select urgent, hour, arrived_at, first_read_at,
    row_number() over (order by arrived_at, first_read_at) as arrival_place,
    row_number() over (order by first_read_at, arrived_at) as reading_place
    from arrival where first_read_at >= arrived_at),
  waited as (select taken.urgent, taken.hour, reading.first_read_at - taken.arrived_at as ms
    from placed as taken inner join placed as reading on reading.reading_place = taken.arrival_place)`;

/**
 * By priority, and by priority and hour: the ones at the places n / 2 and 9n / 10, rounded up, in whole numbers (a sum
 * is none in PostgreSQL before it is cast).
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
