import { z } from 'zod';
import { findingSchema } from '../../events/finding';
import { PRIORITIES } from '../../events/priority';
import type { ReadOnly } from '../../events/read-only';
import { PAGE_ORDERS } from '../../worklist/page-query';
import { MAX_VIEWS } from '../../worklist/saved-views';
import { SHOWN_STATES, VERDICTS } from '../../worklist/states';
import { TURNAROUND_STEPS } from '../../worklist/turnaround';

/**
 * Requests and responses of the reading list's API (/api/v1). Each schema has the name of its type; api-types.d.ts for
 * the pages is generated from them by `npm run contracts`. Responses are strict: keys that are not named here are not
 * sent. Times are ISO 8601, UTC.
 */

const share = z.number().min(0).max(1);
const time = z.iso.datetime();
const count = z.number().int().min(0);
const modelReference = z.strictObject({ id: z.string(), version: z.string() });
const viewer = z.strictObject({ name: z.string(), url: z.string() });
const polygon = z.array(z.tuple([z.number(), z.number()]));

export const Said = z
  .strictObject({
    key: z.string().describe('Of a message catalogue (src/language/catalogues).'),
    values: z.record(z.string(), z.union([z.string(), z.number()])).describe('What its placeholders are filled with.'),
  })
  .describe('What is said beside it in English, for a reader of another language.');
export type Said = ReadOnly<z.infer<typeof Said>>;

export const ListState = z.enum(SHOWN_STATES);
export type ListState = z.infer<typeof ListState>;

export const ListPriority = z.enum(PRIORITIES);
export type ListPriority = z.infer<typeof ListPriority>;

export const ListVerdict = z.enum(VERDICTS);
export type ListVerdict = z.infer<typeof ListVerdict>;

export const RowResult = z.strictObject({
  label: z.string().describe('Of the finding, as in the events.'),
  probability: share.describe('0..1'),
  threshold: share,
  probabilityText: z.string().describe('In per cent, as the next; never 0 and never 100 by rounding.'),
  thresholdText: z.string(),
  reached: z.boolean(),
  relation: z.string().describe('Where it lies, in words: at or above, or below the operating point.'),
});
export type RowResult = ReadOnly<z.infer<typeof RowResult>>;

export const RowFinding = z.strictObject({
  ...findingSchema.shape,
  code: z.strictObject(findingSchema.shape.code.shape),
  priority: ListPriority,
});
export type RowFinding = ReadOnly<z.infer<typeof RowFinding>>;

export const RowPatient = z.strictObject({
  id: z.string(),
  name: z.string().describe('Family name first, as people read it.'),
  birthDate: z.string().describe("YYYY-MM-DD or ''"),
  sex: z.string(),
});
export type RowPatient = ReadOnly<z.infer<typeof RowPatient>>;

export const RowClaim = z
  .strictObject({
    by: z.string(),
    mine: z.boolean().describe('Whether who asks has it.'),
    until: time.describe('It ends then, unless it is renewed.'),
  })
  .describe('Who reads a study now.');
export type RowClaim = ReadOnly<z.infer<typeof RowClaim>>;

export const RowRead = z
  .strictObject({
    at: time,
    how: z.enum(['verdict', 'person', 'ris']).describe('ris: the RIS told of a final report.'),
    by: z.string().nullable().describe('Null where the RIS told, and for whoever may not see patients.'),
  })
  .describe('That a study was read.');
export type RowRead = ReadOnly<z.infer<typeof RowRead>>;

export const StudyRow = z
  .strictObject({
    studyInstanceUid: z.string(),
    state: ListState,
    reason: z
      .strictObject({ code: z.string(), text: z.string() })
      .nullable()
      .describe('Why it was not analysed, failed or is tried again: a code, and a sentence where there is one.'),
    priority: ListPriority.describe(
      'The order of the list: the highest of what the RIS or a rule, the finding, and a person say.',
    ),
    urgentBy: z
      .array(z.enum(['order', 'finding', 'person']))
      .describe('Whose word makes it urgent: each that says so.'),
    urgentSince: time
      .nullable()
      .describe('Null while it is not urgent, and where it became so before the list kept this.'),
    arrivedAt: time,
    completedAt: time.nullable(),
    retryAt: time.nullable().describe('When a failed try is repeated.'),
    views: z.array(z.string()).describe('frontal, lateral, or as the film says (PA, LL).'),
    films: count,
    result: RowResult.nullable(),
    findings: z.array(RowFinding).describe('Of the film that stands for the study, in the order of the classifiers.'),
    inShadow: z.boolean().describe('All of them are in shadow: there is no result, and no heat map to show.'),
    leadFilm: z
      .strictObject({ picture: z.string(), heatMap: z.string().nullable() })
      .nullable()
      .describe('The film that stands for the study, where its pictures may be seen.'),
    verdict: ListVerdict.nullable(),
    claim: RowClaim.nullable().describe('Null while nobody reads it, and for whoever may not see patients.'),
    read: RowRead.nullable().describe('Null while nobody has read it.'),
    hidden: z.boolean().describe('Left out unless it is asked for: no film is of the chest, by its header.'),
    patient: RowPatient.optional(),
    accessionNumber: z.string().optional(),
    studyDescription: z.string().optional(),
  })
  .describe('One line of the list. Keys about a patient are missing where their reader may not see them.');
export type StudyRow = ReadOnly<z.infer<typeof StudyRow>>;

export const StudyPage = z.strictObject({
  rows: z.array(StudyRow),
  next: z.string().nullable().describe('For the next page; null at the end.'),
  change: count.describe('Number of the last change that the page is sure to have: live updates go on from here.'),
});
export type StudyPage = ReadOnly<z.infer<typeof StudyPage>>;

export const StudyCount = z
  .strictObject({ studies: count, urgent: count })
  .describe('How many studies a search of the list has, all pages together.');
export type StudyCount = ReadOnly<z.infer<typeof StudyCount>>;

export const WorkCounts = z
  .strictObject({
    unread: count,
    unreadUrgent: count,
    mine: count.describe('Claimed by who asks.'),
    readToday: count.describe("By the day of the site's time zone."),
    hidden: count,
  })
  .describe('How much there is to read.');
export type WorkCounts = ReadOnly<z.infer<typeof WorkCounts>>;

export const ClaimAnswer = z
  .strictObject({
    claimed: z.boolean().describe('Whether who asked has it now.'),
    claim: RowClaim.nullable().describe('Who has it.'),
    read: RowRead.nullable().describe('What was read is not claimed.'),
    renewAfterSeconds: count.describe('When to ask again, so as to keep it.'),
  })
  .describe('What became of a claim.');
export type ClaimAnswer = ReadOnly<z.infer<typeof ClaimAnswer>>;

export const ClaimReleased = z.strictObject({ released: z.boolean().describe('False where one had none.') });
export type ClaimReleased = ReadOnly<z.infer<typeof ClaimReleased>>;

export const FilmDetail = z.strictObject({
  sopInstanceUid: z.string(),
  outcome: z.enum(['analysed', 'not-analysed', 'rejected']),
  view: z.string(),
  reason: z.string().nullable().describe('Why it was not analysed: a code.'),
  reasonText: z.string().nullable(),
  result: RowResult.nullable(),
  inShadow: z
    .boolean()
    .describe('It was analysed for findings in shadow only: there is no result, and no heat map to show.'),
  finding: z.string().nullable().describe('What the probability is of.'),
  remarks: z.array(z.string()),
  remarksSaid: z.array(Said.nullable()).describe('The same, in their order; null where no catalogue has a remark.'),
  lungFraction: share.nullable(),
  picture: z.string().nullable(),
  noPicture: z
    .enum(['undecodable', 'blank', 'not-in-archive'])
    .nullable()
    .describe('Why there is no picture, to whoever may see one.'),
  heatMap: z.string().nullable(),
  report: z.string().nullable(),
});
export type FilmDetail = ReadOnly<z.infer<typeof FilmDetail>>;

export const VerdictEntry = z.strictObject({
  at: time,
  by: z.string(),
  account: z
    .string()
    .nullable()
    .describe('Id of who gave it, as local:NAME: two users may have one name. Null in a verdict of version 0.1.'),
  verdict: ListVerdict,
  note: z.string(),
  current: z.boolean().describe('Whether it is about the result shown now.'),
});
export type VerdictEntry = ReadOnly<z.infer<typeof VerdictEntry>>;

export const StudyDetail = z.strictObject({
  row: StudyRow,
  films: z.array(FilmDetail),
  history: z.array(
    z.strictObject({ at: time, text: z.string(), said: z.array(Said).describe('The parts of the text.') }),
  ),
  verdicts: z.array(VerdictEntry),
  viewers: z.array(viewer).describe('Viewers that open the study.'),
  models: z.array(modelReference),
  softwareVersion: z.string().nullable(),
  studyDate: z.string(),
  mayJudge: z.boolean(),
});
export type StudyDetail = ReadOnly<z.infer<typeof StudyDetail>>;

export const FilmReport = z
  .strictObject({
    summary: z.string(),
    statements: z.array(z.strictObject({ name: z.string(), value: z.string() })),
    size: z.strictObject({ rows: count, columns: count }).nullable(),
    hotRegion: polygon,
    lungs: z
      .array(polygon)
      .nullable()
      .describe('By the Segmentation, else by the outlines of the heat map; null where the archive has neither.'),
    outlinesAreBurnedIn: z
      .boolean()
      .describe('The stored heat map, an older one, has its outlines drawn in: they can not be hidden.'),
  })
  .describe('The stored report of a film and what can be drawn over the film, in its pixels.');
export type FilmReport = ReadOnly<z.infer<typeof FilmReport>>;

export const PriorStudy = z
  .strictObject({
    studyInstanceUid: z.string(),
    studyDate: z.string().describe("YYYY-MM-DD or ''"),
    studyDescription: z.string(),
    views: z.array(z.string()),
    state: ListState,
    result: RowResult.nullable(),
    film: FilmDetail.nullable().describe('The film that stands for the study.'),
  })
  .describe('An earlier study of the same patient: of the same Patient ID by the same issuer.');
export type PriorStudy = ReadOnly<z.infer<typeof PriorStudy>>;

export const PriorStudies = z.strictObject({
  priors: z.array(PriorStudy).max(20).describe('The newest first.'),
});
export type PriorStudies = ReadOnly<z.infer<typeof PriorStudies>>;

export const Agreement = z
  .strictObject({
    agree: count,
    disagree: count,
    unusable: count,
    share: z.strictObject({ value: share, low: share, high: share }).nullable(),
  })
  .describe('Verdicts so far: of those that agree or disagree, the share that agrees with its 95 % interval (Wilson).');
export type Agreement = ReadOnly<z.infer<typeof Agreement>>;

export const Session = z.strictObject({
  user: z.string(),
  mayReadStudies: z.boolean(),
  maySeePatients: z.boolean(),
  mayOperate: z.boolean(),
  everyoneIsLocal: z.boolean().describe('Nobody has to sign in (loopback only).'),
  viewers: z.array(viewer).describe('`{StudyInstanceUID}`, `{AccessionNumber}` and `{PatientID}` are to be filled in.'),
  timeZone: z.string().describe("IANA name of the site's time zone, in which times are shown."),
  now: time.describe("The service's clock."),
  version: z.string(),
});
export type Session = ReadOnly<z.infer<typeof Session>>;

/** Columns of the list that can be shown or hidden; the result is always shown. */
const VIEW_COLUMNS = ['priority', 'film', 'patient', 'view', 'waiting', 'arrived', 'open'] as const;

export const ListView = z
  .strictObject({
    work: z.enum(['unread', 'mine', 'read-today', 'all']),
    state: ListState.optional(),
    priority: ListPriority.optional(),
    view: z.enum(['frontal', 'lateral']).optional(),
    period: z.enum(['1', '24', '168']).optional().describe('Hours since the arrival, at most.'),
    order: z.enum(PAGE_ORDERS),
    hidden: z.enum(['include']).optional(),
    search: z.string().max(64).optional(),
    columns: z.array(z.enum(VIEW_COLUMNS)).max(VIEW_COLUMNS.length).optional().describe('Beside the result.'),
  })
  .describe('Filters, order, search and columns of the page.');
export type ListView = ReadOnly<z.infer<typeof ListView>>;

export const SavedView = z.strictObject({ id: z.string(), name: z.string(), view: ListView });
export type SavedView = ReadOnly<z.infer<typeof SavedView>>;

export const SavedViews = z
  .strictObject({ views: z.array(SavedView).max(MAX_VIEWS) })
  .describe('Views that who asks has saved, by name.');
export type SavedViews = ReadOnly<z.infer<typeof SavedViews>>;

export const GivenView = z
  .strictObject({ name: z.string().trim().min(1).max(40), view: ListView })
  .describe('Body: a view to be saved, in the place of the one of that name.');

const page = z.string().regex(/^[\w-]{8,64}$/);

export const GivenOpen = z
  .strictObject({ page: page.describe('Made by the page at random: one user may have several.') })
  .describe('Body: a page shows a study.');

export const OpenElsewhere = z
  .strictObject({
    others: z.array(z.strictObject({ by: z.string(), mine: z.boolean().describe('Of who asks.') })),
    renewAfterSeconds: count.describe('It is forgotten after three times as long.'),
  })
  .describe('Who has the study open on other pages now.');
export type OpenElsewhere = ReadOnly<z.infer<typeof OpenElsewhere>>;

export const OpenClosed = z.strictObject({ closed: z.boolean() });
export type OpenClosed = ReadOnly<z.infer<typeof OpenClosed>>;

export const ModelCard = modelReference
  .extend({ text: z.string().describe('Markdown') })
  .describe('What a model in use is for, how well it was measured to do, where it fails.');
export type ModelCard = ReadOnly<z.infer<typeof ModelCard>>;

export const Overview = z.strictObject({
  queues: z.record(z.string(), count).nullable().describe('Null while the broker does not answer.'),
  ages: z.record(z.string(), z.number()).nullable().describe('Seconds that the oldest study has waited.'),
  checks: z.array(z.strictObject({ name: z.string(), problem: z.string().nullable() })),
  outages: z
    .array(z.strictObject({ check: z.string(), problem: z.string(), from: time, to: time.nullable() }))
    .describe('Since this process began: those that last first, then the last twenty, the latest first.'),
  workers: z
    .array(z.strictObject({ name: z.string(), heardAt: time, studies: count, since: time.nullable() }))
    .describe('Workers that told of a study within a day, with how many each has now and since when.'),
  workersConnected: count.nullable().describe('Null while the broker does not answer.'),
  deliveries: z
    .array(
      z.strictObject({
        sink: z.string(),
        waiting: count,
        retry: count,
        dead: count,
        failingSince: time.nullable().describe('As this process sees it, where it delivers to the sink.'),
      }),
    )
    .nullable()
    .describe('Results by the system that they are for; null while the broker does not answer.'),
  states: z.record(ListState, count).describe('Studies by their present state, the hidden ones left aside.'),
  leftOut: z
    .array(z.strictObject({ reason: z.string(), studies: count }))
    .describe('Studies that are not on the list, or hidden, by reason (docs/list.md).'),
  throughput: z.array(z.strictObject({ hour: time, studies: count })).describe('Last 24 hours, oldest first.'),
});
export type Overview = ReadOnly<z.infer<typeof Overview>>;

export const TurnaroundStepFigures = z.strictObject({
  step: z.enum(TURNAROUND_STEPS),
  studies: count.describe('How many the figures are of.'),
  medianSeconds: z.number().nullable(),
  p90Seconds: z.number().nullable(),
  notYet: count.describe('Where the step has not ended.'),
  leftOut: count.describe('Where a time is missing, or the times are not in this order.'),
});
export type TurnaroundStepFigures = ReadOnly<z.infer<typeof TurnaroundStepFigures>>;

export const TurnaroundGroup = z.strictObject({
  priority: ListPriority,
  hour: z.number().int().min(0).max(23).nullable().describe("Of the arrival, on the site's clocks; null: all hours."),
  arrived: count,
  steps: z.array(TurnaroundStepFigures),
});
export type TurnaroundGroup = ReadOnly<z.infer<typeof TurnaroundGroup>>;

export const Turnaround = z
  .strictObject({
    days: z.number().int(),
    from: time.describe('Arrivals from here ...'),
    to: time.describe('... until before here.'),
    timeZone: z.string(),
    cut: z.boolean().describe('More than 100,000 studies arrived: these are the latest.'),
    withoutArrival: count.describe('In no group: it is not known when they came.'),
    groups: z.array(TurnaroundGroup).describe('All hours first, then each hour in which a study came.'),
  })
  .describe('How long studies took from their arrival to their reading (docs/list.md).');
export type Turnaround = ReadOnly<z.infer<typeof Turnaround>>;

export const DriftMeasure = z.strictObject({
  measure: z.string(),
  films: count,
  index: z.number().nullable().describe('Population stability index.'),
  chance: z.number().describe('The index that chance alone reaches once in twenty times.'),
  level: z.string(),
});
export type DriftMeasure = ReadOnly<z.infer<typeof DriftMeasure>>;

export const Installation = z
  .strictObject({
    version: z.string(),
    models: z.array(modelReference),
    drift: z.array(DriftMeasure).nullable().describe('Null where this process has no counts to compare.'),
    docs: z.array(z.strictObject({ name: z.string(), href: z.string() })),
  })
  .describe('What is installed, and whether the films are still like those that the models were validated on.');
export type Installation = ReadOnly<z.infer<typeof Installation>>;

export const DeadLetterEntry = z.strictObject({
  id: z.string(),
  queue: z.string().describe('`study`, or the system that a result was for.'),
  studyInstanceUid: z.string().nullable(),
  reason: z.string(),
  diedAt: z.string().nullable(),
  attempts: z.array(z.strictObject({ attempt: z.number(), at: z.string(), code: z.string() })),
  lost: count,
});
export type DeadLetterEntry = ReadOnly<z.infer<typeof DeadLetterEntry>>;

export const DeadLetterList = z.strictObject({ letters: z.array(DeadLetterEntry) });
export type DeadLetterList = ReadOnly<z.infer<typeof DeadLetterList>>;

export const DeadLettersDone = z
  .strictObject({ done: count })
  .describe('How many dead letters were replayed or dropped.');
export type DeadLettersDone = ReadOnly<z.infer<typeof DeadLettersDone>>;

export const LiveEvent = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('study'), row: StudyRow }),
    z.strictObject({ kind: z.literal('gone'), studyInstanceUid: z.string() }),
  ])
  .describe('One event of /api/v1/live; its id is where to resume.');
export type LiveEvent = ReadOnly<z.infer<typeof LiveEvent>>;

const shownResult = z.iso
  .datetime()
  .describe('completedAt of the result that was looked at: refused if the study has another one by now');

export const GivenVerdict = z
  .strictObject({
    verdict: ListVerdict,
    note: z.string().max(2_000).default(''),
    completedAt: shownResult.optional(),
  })
  .describe('Body of a verdict on the result of a study.');

export const GivenPriority = z
  .strictObject({ priority: z.enum(['urgent']).nullable() })
  .describe("Body of a person's urgent mark; null takes it back.");

export const GivenClaim = z
  .strictObject({ takeOver: z.boolean().default(false) })
  .describe('Body of a claim; takeOver: also where another one has it.');

export const GivenRead = z
  .strictObject({ read: z.boolean(), completedAt: shownResult.nullable().optional() })
  .describe('Body of a mark: that a study was read, or that it is to be read again.');

export const ErrorAnswer = z
  .strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) })
  .describe('Why a request was not done: a code of docs/errors.md, REQUEST_INVALID or INTERNAL, and a sentence.');
