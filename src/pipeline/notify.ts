import type { EncodedObject } from '../dicom/part10';
import type { Uid } from '../dicom/uid';
import type { FilmResult, ResultEvent } from '../events/result-event';
import { leadingFinding, studyPriority } from '../finding/finding';
import { REASON_TEXTS } from '../finding/wording';
import type { AnalysisIdentity } from './encode';
import type { FilmOutcome } from './stage';

/** Result of one film in the form of the result event. */
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
        reasonText: REASON_TEXTS[outcome.refusal.reason],
        view: outcome.view,
        probability: null,
        lungFraction: outcome.lungFraction,
        findings: [],
      };
    case 'rejected':
      return {
        ...base,
        reason: outcome.refusal.reason,
        reasonText: REASON_TEXTS[outcome.refusal.reason],
        view: null,
        probability: null,
        lungFraction: null,
        findings: [],
      };
  }
}

/** Result event of a study, completed now. */
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
