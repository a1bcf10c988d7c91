import { join, resolve } from 'node:path';
import { requireWritable, writeOutput } from '../base/disk';
import { HilumError } from '../base/errors';
import { createLog } from '../base/log';
import { type Config, readConfig } from '../config/config';
import { parseUid } from '../dicom/uid';
import { readProtocol } from '../evaluation/protocol';
import { shadowPage } from '../evaluation/shadow-page';
import { type OtherFilm, type ShadowReport, summarise } from '../evaluation/shadow-summary';
import { languageOfTexts } from '../language/config';
import type { Language } from '../language/say';
import { wordsIn } from '../language/words';
import { readShadowRecords } from '../monitoring/shadow-store';
import type { ShadowRecord } from '../pipeline/shadow';
import { withTrail } from './audit';
import { driftReport } from './drift';
import { readGiven } from './given-file';
import { VERSION } from './installed';
import { openList } from './list';
import { openArchive } from './archive';

export interface ShadowOptions {
  readonly config: string;
  readonly out: string;
  /** Another configuration to compare with: a second service in shadow mode, or a live one with a list. */
  readonly against?: string | undefined;
  readonly protocol?: string | undefined;
  /** Days of analysis (YYYY-MM-DD, UTC), both included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly language?: Language | undefined;
}

/**
 * Summarises shadow mode as shadow.html and shadow.json in `out`. Resolves to the report and the path of the page.
 * @throws HilumError NOT_FOUND where there are no outcomes; CONFIG_INVALID, PROTOCOL_INVALID, OUTPUT_FAILED, or of the
 * list's database
 */
export async function reportShadow(
  options: ShadowOptions,
): Promise<{ readonly report: ShadowReport; readonly html: string }> {
  const config = readConfig(options.config);
  const protocol = options.protocol === undefined ? null : readProtocol(await readGiven('protocol', options.protocol));
  await requireWritable(options.out);
  const records = within(await outcomesOf(config), options);
  if (records.length === 0)
    throw new HilumError('NOT_FOUND', 'permanent', `${config.state.dir} has no outcome of shadow mode from these days`);
  const studies = [...new Set(records.map(({ studyInstanceUid }) => studyInstanceUid))];
  await withTrail(config, (trail) => trail.record({ kind: 'export', destination: resolve(options.out), studies: [] }));
  const report = summarise({
    records,
    softwareVersion: VERSION,
    protocol,
    other: options.against === undefined ? null : await otherOf(options.against, studies),
    drift: driftOf(config, records),
    now: new Date(),
  });
  const html = join(options.out, 'shadow.html');
  const words = wordsIn(options.language ?? languageOfTexts(config.language));
  await writeOutput(join(options.out, 'shadow.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeOutput(html, shadowPage(report, words));
  return { report, html };
}

async function outcomesOf({ state }: Config): Promise<ShadowRecord[]> {
  return readShadowRecords(state.dir).catch((error: unknown) => {
    const { code = 'no code' } = error as NodeJS.ErrnoException;
    throw new HilumError('NOT_FOUND', 'permanent', `the folder ${state.dir} (state.dir) can't be read (${code})`);
  });
}

function within(
  records: readonly ShadowRecord[],
  { since, until }: Pick<ShadowOptions, 'since' | 'until'>,
): ShadowRecord[] {
  const day = ({ at }: ShadowRecord) => at.slice(0, 10);
  return records.filter(
    (record) => (since === undefined || day(record) >= since) && (until === undefined || day(record) <= until),
  );
}

/** Results of another service for the same studies: its outcomes of shadow mode, or its list's results. */
async function otherOf(path: string, studies: readonly string[]) {
  const other = readConfig(path);
  if (other.results.mode === 'shadow') return { name: path, films: await outcomesOf(other) };
  if (other.list.enabled) return { name: path, films: await listedFilms(other, studies) };
  throw new HilumError(
    'CONFIG_INVALID',
    'permanent',
    `${path} has neither results.mode shadow nor a list (list.enabled): there is nothing to compare with`,
  );
}

async function listedFilms(config: Config, studies: readonly string[]): Promise<OtherFilm[]> {
  const archive = openArchive(config);
  const { database, worklist } = openList(config, archive, createLog('silent'))!;
  try {
    await database.ready();
    const films: OtherFilm[] = [];
    for (const study of studies) films.push(...((await worklist.study(parseUid(study)))?.record?.films ?? []));
    return films;
  } finally {
    await database.close();
    await archive.close();
  }
}

/** Largest number of days that counts of drift are read for. */
const MAX_DAYS = 3650;

function driftOf(config: Config, records: readonly ShadowRecord[]): ShadowReport['drift'] {
  const days = records.map(({ at }) => at.slice(0, 10)).sort();
  const last = new Date(`${days.at(-1)!}T12:00:00Z`);
  const count = 1 + Math.round((last.getTime() - Date.parse(`${days[0]!}T12:00:00Z`)) / 86_400_000);
  const { referenceFilms, measures } = driftReport(config, Math.min(count, MAX_DAYS), last);
  return referenceFilms === null || measures.every(({ films }) => films === 0) ? null : measures;
}
