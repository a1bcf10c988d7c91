import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import { mostUrgent, type Priority } from '../events/priority';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { type AnalysisIdentity, readResult } from './encode';
import type { EarlierResult } from './older-reports';
import type { Announcer, Archive, FilmOutcome } from './stage';
import type { Survey } from './survey';

/** What became of one film, in the words of the result event. */
export function resultOf(sopInstanceUid: Uid, outcome: FilmOutcome, objects: readonly EncodedObject[]): FilmResult {
  const outputs = objects.map(({ sopClassUid, seriesInstanceUid, sopInstanceUid: uid }) => ({
    sopClassUid,
    seriesInstanceUid,
    sopInstanceUid: uid,
  }));
  const base = { sopInstanceUid, outcome: outcome.outcome, outputs };
  switch (outcome.outcome) {
    case 'analysed': {
      const { view, probability, lungs, warnings = [] } = outcome.explained.inferred;
      return {
        ...base,
        reason: null,
        reasonText: null,
        view: view.view,
        probability,
        lungFraction: lungs.lungFraction,
        ...(warnings.length > 0 ? { warnings } : {}),
      };
    }
    case 'not-analysed':
      return {
        ...base,
        reason: outcome.refusal.reason,
        reasonText: outcome.refusal.text,
        view: outcome.view,
        probability: null,
        lungFraction: outcome.lungFraction,
      };
    case 'rejected':
      return {
        ...base,
        reason: outcome.refusal.reason,
        reasonText: outcome.refusal.text,
        view: null,
        probability: null,
        lungFraction: null,
      };
  }
}

/**
 * Announces the result of the whole study: the films analysed now and, read back from their reports, those analysed
 * before, by this version of Hilum or by another one (`earlier`), whose finding of urgency stands.
 * @throws HilumError of the archive or the broker.
 */
export async function notify(
  study: Uid,
  found: Survey,
  results: readonly FilmResult[],
  earlier: readonly EarlierResult[],
  identity: AnalysisIdentity,
  ports: { archive: Archive; announcer: Announcer },
): Promise<ResultEvent> {
  const films = [...results];
  for (const done of found.done) films.push(await readBack(study, done, ports.archive));
  const event: ResultEvent = {
    schemaVersion: 1,
    type: 'study-result',
    studyInstanceUid: study,
    priority: mostUrgent([
      priorityOf(films, identity.classifier.threshold),
      ...earlier.map(({ priority }) => priority),
    ]),
    films: [...films, ...earlier.map(({ result }) => result)],
    skipped: found.skipped,
    models: identity.models.map(({ id, version }) => ({ id, version })),
    completedAt: new Date().toISOString(),
  };
  await ports.announcer.announce(event);
  return event;
}

/** Urgent when any film reaches the operating point; none when nothing was analysed, for that says nothing. */
export function priorityOf(films: readonly Pick<FilmResult, 'probability'>[], threshold: number): Priority | null {
  const probabilities = films.flatMap(({ probability }) => (probability === null ? [] : [probability]));
  if (probabilities.length === 0) return null;
  return probabilities.some((probability) => probability >= threshold) ? 'urgent' : 'routine';
}

async function readBack(study: Uid, { film, uids }: Survey['done'][number], archive: Archive): Promise<FilmResult> {
  const bytes = await archive.retrieve({
    studyInstanceUid: study,
    seriesInstanceUid: uids.report.series,
    sopInstanceUid: uids.report.instance,
  });
  return { ...readResult(bytes), sopInstanceUid: film.sopInstanceUid };
}
