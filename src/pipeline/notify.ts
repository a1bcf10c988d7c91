import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { leadingFinding, studyPriority } from '../finding/finding';
import { type AnalysisIdentity, readResult } from './encode';
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
      const { inferred, findings: explained } = outcome.explained;
      const { view, lungs, warnings = [] } = inferred;
      const findings = explained.map(({ finding }) => finding);
      return {
        ...base,
        reason: null,
        reasonText: null,
        view: view.view,
        probability: leadingFinding({ findings })?.probability ?? null,
        lungFraction: lungs.lungFraction,
        findings,
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
        findings: [],
      };
    case 'rejected':
      return {
        ...base,
        reason: outcome.refusal.reason,
        reasonText: outcome.refusal.text,
        view: null,
        probability: null,
        lungFraction: null,
        findings: [],
      };
  }
}

/**
 * Announces the result of the whole study: the films analysed now and, read back from their reports, those analysed
 * before, by this version of Hilum or by another one (`earlier`), whose priority stands.
 * @throws HilumError of the archive or the broker.
 */
export async function notify(
  study: Uid,
  found: Survey,
  results: readonly FilmResult[],
  earlier: readonly FilmResult[],
  identity: AnalysisIdentity,
  ports: { archive: Archive; announcer: Announcer },
): Promise<ResultEvent> {
  const films = [...results];
  for (const done of found.done) films.push(await readBack(study, done, ports.archive));
  const event = studyResult(study, [...films, ...earlier], found.skipped, identity);
  await ports.announcer.announce(event);
  return event;
}

/** The result of a study, complete now. */
export function studyResult(
  study: Uid,
  films: readonly FilmResult[],
  skipped: ResultEvent['skipped'],
  { models }: AnalysisIdentity,
): ResultEvent {
  return {
    schemaVersion: 1,
    type: 'study-result',
    studyInstanceUid: study,
    priority: studyPriority(films),
    films,
    skipped,
    models: models.map(({ id, version }) => ({ id, version })),
    completedAt: new Date().toISOString(),
  };
}

async function readBack(study: Uid, { film, uids }: Survey['done'][number], archive: Archive): Promise<FilmResult> {
  const bytes = await archive.retrieve({
    studyInstanceUid: study,
    seriesInstanceUid: uids.report.series,
    sopInstanceUid: uids.report.instance,
  });
  return { ...readResult(bytes), sopInstanceUid: film.sopInstanceUid };
}
