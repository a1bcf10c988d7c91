import { HilumError } from '../base/errors';
import { systemTimeZone, wallTimeOf } from '../base/time-zone';
import type { Batch, Candidate, Source } from './source';

/** A study as a search lists it. */
export interface ListedStudy extends Candidate {
  /** Study Date and Time; '' for a study without a Study Date. */
  readonly dateTime?: string;
}

/** Port: `archive/dicomweb` fits it by shape. */
export interface StudyFinder<S extends ListedStudy = ListedStudy> {
  /**
   * Dates as YYYYMMDD and times as HHMM, both included; '' for all studies. `rows`: number of rows that the archive
   * sent, valid or not.
   */
  findStudies(search: {
    from: string;
    to: string;
    times?: { from: string; to: string };
    offset: number;
    limit: number;
  }): Promise<{ studies: readonly S[]; rows: number }>;
}

const PAGE = 100;
/** Where a server ignores `offset`, fewer rows than this are taken to be all. */
const MIN_CUT = 10;

/**
 * Candidates of any DICOMweb archive by Study Date, the newest days first. A study without a Study Date is not found.
 * @param onCut called once a round for a period of which the archive lists only a part
 * @param timeZone of the site, by which a day begins: machines and containers are often on UTC
 */
export function studySweep<S extends ListedStudy>(
  archive: StudyFinder<S>,
  windowDays: number,
  now: () => number = Date.now,
  onCut: (span: string) => void = () => {},
  timeZone = systemTimeZone(),
): Source<S> {
  return {
    lags: false,
    async *batches() {
      let isTold = false;
      const tellOnce = (span: string) => {
        if (!isTold) onCut(span);
        isTold = true;
      };
      for (const { from, to } of spans(windowDays, dayAt(now(), timeZone)))
        yield* pages(archive, { from: dayOf(from), to: dayOf(to) }, tellOnce);
    },
  };
}

/** Studies of some days, both included, by Study Date: page by page, the newest weeks first. */
export async function* studiesBetween(
  archive: StudyFinder,
  from: Date,
  to: Date,
): AsyncGenerator<readonly Candidate[]> {
  for (const week of weeks(from, to)) {
    const span = { from: dayOf(week.from), to: dayOf(week.to) };
    for await (const { studies } of pages(archive, span, refuseCut)) yield studies;
  }
}

/**
 * Studies without a Study Date, page by page. QIDO-RS can't search for them, so all studies of the archive are listed.
 * @throws HilumError ARCHIVE_RESPONSE_INVALID where the archive does not list all
 */
export async function* undatedStudies(archive: StudyFinder): AsyncGenerator<readonly Candidate[]> {
  for await (const { studies, isCut } of read(archive, { from: '', to: '' })) {
    if (isCut) refuseCut('all times');
    yield studies.filter(({ dateTime }) => dateTime === '');
  }
}

function refuseCut(span: string): never {
  throw new HilumError(
    'ARCHIVE_RESPONSE_INVALID',
    'transient',
    `the archive ignores the offset of a search and shows a part of its studies of ${span} only`,
  );
}

/** Days since 1970, and minutes within a single day; both ends included. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly minutes?: { readonly from: number; readonly to: number };
}

const LAST_MINUTE = 24 * 60 - 1;

/**
 * Pages of a period. Where the server ignores `offset`, the period is halved until each part is listed completely.
 * @param beside first row of the neighbouring half: a server that answers both alike ignores times, too
 */
async function* pages<S extends ListedStudy>(
  archive: StudyFinder<S>,
  range: Range,
  onCut: (span: string) => void,
  beside: { first?: string } = {},
): AsyncGenerator<Batch<S>> {
  let first: string | undefined;
  for await (const { studies, isCut } of read(archive, searchOf(range))) {
    first ??= studies.map(({ studyInstanceUid }) => studyInstanceUid).join();
    const shorter = first === beside.first ? null : halves(range);
    if (!isCut) yield { studies, done: () => Promise.resolve() };
    else if (shorter === null) onCut(describe(range));
    else {
      const inside = {};
      for (const half of shorter) yield* pages(archive, half, onCut, inside);
    }
  }
  if (first !== undefined) beside.first = first;
}

/**
 * Pages of one search, until one is empty, as servers have page limits of their own. The last one has `isCut` where the
 * server repeats rows, so that no more can be read.
 */
async function* read<S extends ListedStudy>(
  archive: StudyFinder<S>,
  search: Pick<Parameters<StudyFinder['findStudies']>[0], 'from' | 'to' | 'times'>,
): AsyncGenerator<{ studies: readonly S[]; isCut: boolean }> {
  let before: ReadonlySet<string> = new Set();
  for (let offset = 0; ;) {
    const { studies, rows } = await archive.findStudies({ ...search, offset, limit: PAGE });
    if (rows === 0) return;
    if (studies.length > 0 && studies.every(({ studyInstanceUid }) => before.has(studyInstanceUid))) {
      if (rows >= MIN_CUT) yield { studies: [], isCut: true };
      return;
    }
    before = new Set(studies.map(({ studyInstanceUid }) => studyInstanceUid));
    yield { studies, isCut: false };
    offset += rows;
  }
}

/** Both halves of a period, the newer first; null for a single minute. */
function halves({ from, to, minutes = { from: 0, to: LAST_MINUTE } }: Range): readonly Range[] | null {
  if (from < to) {
    const middle = Math.floor((from + to) / 2);
    return [
      { from: middle + 1, to },
      { from, to: middle },
    ];
  }
  if (minutes.from === minutes.to) return null;
  const middle = Math.floor((minutes.from + minutes.to) / 2);
  return [
    { from, to, minutes: { from: middle + 1, to: minutes.to } },
    { from, to, minutes: { from: minutes.from, to: middle } },
  ];
}

function searchOf({ from, to, minutes }: Range) {
  return {
    from: dateOf(from),
    to: dateOf(to),
    ...(minutes === undefined ? {} : { times: { from: timeOf(minutes.from), to: timeOf(minutes.to) } }),
  };
}

function describe({ from, minutes }: Range): string {
  return `${dateOf(from)} ${timeOf(minutes?.from ?? 0)}`;
}

const two = (value: number) => String(value).padStart(2, '0');
/** TM (PS3.5 section 6.2). */
const timeOf = (minute: number) => `${two(Math.floor(minute / 60))}${two(minute % 60)}`;
const DAY_MS = 86_400_000;
const dayOf = (date: string) =>
  Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / DAY_MS;
const dateOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');

interface Span {
  readonly from: string;
  readonly to: string;
}

/**
 * The window in spans of 1, 1, 2, 4, 8 ... days, newest first, to limit the number of queries. QIDO-RS has no order.
 * The first span includes tomorrow, for modalities whose clock is ahead.
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

/** Weeks, newest first: servers are slow on late pages of a large result. */
export function* weeks(from: Date, to: Date): Generator<Span> {
  for (let last = to; last >= from; last = daysBefore(last, 7)) {
    const first = daysBefore(last, 6);
    yield { from: dicomDate(first < from ? from : first), to: dicomDate(last) };
  }
}

/** The day in a time zone, as midnight of the machine's. */
function dayAt(instant: number, timeZone: string): Date {
  const wall = wallTimeOf(instant, timeZone);
  return new Date(Number(wall.slice(0, 4)), Number(wall.slice(4, 6)) - 1, Number(wall.slice(6, 8)));
}

function daysBefore(day: Date, days: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - days);
}

function dateAgo(today: Date, days: number): string {
  return dicomDate(daysBefore(today, days));
}

/** DA (PS3.5 section 6.2). */
function dicomDate(day: Date): string {
  return `${String(day.getFullYear()).padStart(4, '0')}${two(day.getMonth() + 1)}${two(day.getDate())}`;
}
