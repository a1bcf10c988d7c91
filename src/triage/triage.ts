import { describeError } from '../base/errors';
import type { Log } from '../base/log';
import { withTimeout } from '../base/retry';
import type { Uid } from '../dicom/uid';
import { FILM_MODALITIES } from '../events/closed-lists';
import type { Priority } from '../events/priority';
import { parseStudyEvent, type StudyEvent } from '../events/study-event';
import { type PriorityRule, RULE_ATTRIBUTES } from './config';
import { type FilmAttributes, ruleFor } from './rules';

/** Port: the archive's listing of a study; `archive/dicomweb` fits it by shape. */
export interface FilmDirectory {
  findSeries(study: Uid, timeoutMs: number): Promise<readonly ListedSeries[]>;
  /** From one instance of the series. */
  sampleAttributes(
    study: Uid,
    series: Uid,
    attributes: typeof RULE_ATTRIBUTES,
    options: { readonly timeoutMs: number; readonly instances: number | null },
  ): Promise<FilmAttributes>;
}

interface ListedSeries {
  readonly seriesInstanceUid: Uid | null;
  readonly modality: string;
  /** Null where the archive does not report it. */
  readonly instances: number | null;
}

export interface TriageOptions {
  readonly archive: FilmDirectory;
  readonly rules: readonly PriorityRule[];
  /** Longest wait for the archive (milliseconds). */
  readonly timeoutMs: number;
  readonly log: Log;
  /** Called for each study; neither throws nor waits. */
  readonly onStudy?: ((study: Uid, priority: Priority | null) => void) | undefined;
}

/** Largest number of series that are sampled: a chest study has one to three. */
const MAX_SERIES = 4;

/**
 * Makes the function that decides the priority of a study message: by the event itself, else by the rules, on one film
 * of each series. Null where the archive can't be asked in time, and for an invalid event, which is reported by its
 * consumer. Never rejects.
 */
export function createTriage(options: TriageOptions): (body: Uint8Array) => Promise<Priority | null> {
  return async (body) => {
    const event = readEvent(body);
    if (event === null) return null;
    const priority = await priorityOf(event, options);
    options.onStudy?.(event.studyInstanceUid, priority);
    return priority;
  };
}

async function priorityOf(event: StudyEvent, options: TriageOptions): Promise<Priority | null> {
  if (event.priority !== undefined) return event.priority;
  if (options.rules.length === 0) return 'routine';
  return byRules(event.studyInstanceUid, options);
}

function readEvent(body: Uint8Array): StudyEvent | null {
  try {
    return parseStudyEvent(body);
  } catch {
    return null;
  }
}

async function byRules(study: Uid, options: TriageOptions): Promise<Priority | null> {
  const { timeoutMs, log } = options;
  try {
    const rule = await withTimeout(
      firstRule(study, options),
      timeoutMs,
      () => new Error(`no answer within ${timeoutMs} ms`),
    );
    if (rule === undefined)
      log.debug({ event: 'triage.decided', study, priority: 'routine' }, 'no rule makes this study urgent');
    else log.info({ event: 'triage.decided', study, priority: 'urgent', rule }, 'a rule makes this study urgent');
    return rule === undefined ? 'routine' : 'urgent';
  } catch (error) {
    log.info(
      { event: 'triage.undecided', study, error: describeError(error) },
      'the archive could not be asked how urgent this study is; it is worked on as routine',
    );
    return null;
  }
}

/** Undefined when no film meets a rule. @throws the archive's error where that leaves it open */
async function firstRule(study: Uid, { archive, rules, timeoutMs }: TriageOptions): Promise<number | undefined> {
  const series = (await archive.findSeries(study, timeoutMs)).flatMap(({ modality, seriesInstanceUid, instances }) =>
    FILM_MODALITIES.has(modality) && seriesInstanceUid !== null ? [{ uid: seriesInstanceUid, instances }] : [],
  );
  const look = async ({ uid, instances }: (typeof series)[number]) =>
    ruleFor(await archive.sampleAttributes(study, uid, RULE_ATTRIBUTES, { timeoutMs, instances }), rules);
  const looks = await Promise.allSettled(series.slice(0, MAX_SERIES).map(look));
  const met = looks.flatMap((look) => (look.status === 'fulfilled' && look.value !== undefined ? [look.value] : []));
  const failed = looks.find((look) => look.status === 'rejected');
  if (met.length === 0 && failed !== undefined) throw failed.reason;
  return met.length === 0 ? undefined : Math.min(...met);
}
