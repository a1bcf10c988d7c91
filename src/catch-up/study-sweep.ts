import type { Batch, Candidate, Source } from './source';

/** Port: `archive/dicomweb` fits it by shape. */
export interface StudyFinder {
  /** Dates as YYYYMMDD, both included. `rows` is what the archive sent, usable or not. */
  findStudies(search: {
    from: string;
    to: string;
    offset: number;
    limit: number;
  }): Promise<{ studies: readonly Candidate[]; rows: number }>;
}

const PAGE = 100;
/** A shorter page is the last one: no server is thought to have a page limit below this. */
const LEAST_PAGE_LIMIT = 50;

/** Searches any DICOMweb archive by Study Date, the newest days first. A study without a Study Date is never found. */
export function studySweep(archive: StudyFinder, windowDays: number, now: () => number = Date.now): Source {
  return {
    lags: false,
    async *batches() {
      for (const span of spans(windowDays, new Date(now()))) yield* pages(archive, span);
    },
  };
}

/** The studies of some days, both included, by Study Date: page by page, the newest weeks first. */
export async function* studiesBetween(
  archive: StudyFinder,
  from: Date,
  to: Date,
): AsyncGenerator<readonly Candidate[]> {
  for (const week of weeks(from, to)) {
    for await (const { studies } of pages(archive, week)) yield studies;
  }
}

async function* pages(archive: StudyFinder, span: Span): AsyncGenerator<Batch> {
  let first: string | undefined;
  for (let offset = 0; ;) {
    const { studies, rows } = await archive.findStudies({ ...span, offset, limit: PAGE });
    // A server that ignores offset repeats itself.
    if (rows === 0 || (studies[0] !== undefined && studies[0].studyInstanceUid === first)) return;
    first = studies[0]?.studyInstanceUid;
    yield { studies, done: () => Promise.resolve() };
    if (rows < LEAST_PAGE_LIMIT) return;
    offset += rows;
  }
}

interface Span {
  readonly from: string;
  readonly to: string;
}

/**
 * The window in spans of 1, 1, 2, 4, 8 ... days, newest first: QIDO-RS has no order, and a query for each day of a long
 * window would be many. The first span reaches into tomorrow, for modalities whose clock is ahead.
 */
export function spans(windowDays: number, today: Date): Span[] {
  const found: Span[] = [];
  for (let ago = 0; ago < windowDays;) {
    const days = Math.min(Math.max(1, ago), windowDays - ago);
    found.push({ from: dateAgo(today, ago + days - 1), to: dateAgo(today, ago === 0 ? -1 : ago) });
    ago += days;
  }
  return found;
}

/** Weeks, newest first: servers are slow on pages far into a large result. */
export function* weeks(from: Date, to: Date): Generator<Span> {
  for (let last = to; last >= from; last = daysBefore(last, 7)) {
    const first = daysBefore(last, 6);
    yield { from: dicomDate(first < from ? from : first), to: dicomDate(last) };
  }
}

function daysBefore(day: Date, days: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - days);
}

function dateAgo(today: Date, days: number): string {
  return dicomDate(daysBefore(today, days));
}

/** DA (PS3.5 section 6.2). */
function dicomDate(day: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${String(day.getFullYear()).padStart(4, '0')}${two(day.getMonth() + 1)}${two(day.getDate())}`;
}
