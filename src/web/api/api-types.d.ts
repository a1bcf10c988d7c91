/**
 * What the reading list's API (/api/v1) takes and answers, for its pages: made from contract.ts by
 * `npm run contracts`. Times are ISO 8601, UTC.
 */

/** Verdicts so far: of those that agree or disagree, the share that agrees with its 95 % interval (Wilson). */
export interface Agreement {
  readonly agree: number;
  readonly disagree: number;
  readonly unusable: number;
  readonly share: { readonly value: number; readonly low: number; readonly high: number } | null;
}

/** What became of a claim. */
export interface ClaimAnswer {
  /** Whether who asked has it now. */
  readonly claimed: boolean;
  /** Who has it. */
  readonly claim: RowClaim | null;
  /** What was read is not claimed. */
  readonly read: RowRead | null;
  /** When to ask again, so as to keep it. */
  readonly renewAfterSeconds: number;
}

export interface ClaimReleased {
  /** False where one had none. */
  readonly released: boolean;
}

export interface DeadLetterEntry {
  readonly id: string;
  /** `study`, or the system that a result was for. */
  readonly queue: string;
  readonly studyInstanceUid: string | null;
  readonly reason: string;
  readonly diedAt: string | null;
  readonly attempts: readonly { readonly attempt: number; readonly at: string; readonly code: string }[];
  readonly lost: number;
}

export interface DeadLetterList {
  readonly letters: readonly DeadLetterEntry[];
}

/** How many dead letters were replayed or dropped. */
export interface DeadLettersDone {
  readonly done: number;
}

export interface DriftMeasure {
  readonly measure: string;
  readonly films: number;
  /** Population stability index. */
  readonly index: number | null;
  /** The index that chance alone reaches once in twenty times. */
  readonly chance: number;
  readonly level: string;
}

/** Why a request was not done: a code of docs/errors.md, REQUEST_INVALID or INTERNAL, and a sentence. */
export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string };
}

export interface FilmDetail {
  readonly sopInstanceUid: string;
  readonly outcome: 'analysed' | 'not-analysed' | 'rejected';
  readonly view: string;
  /** Why it was not analysed: a code. */
  readonly reason: string | null;
  readonly reasonText: string | null;
  readonly result: RowResult | null;
  /** It was analysed for findings in shadow only: there is no result, and no heat map to show. */
  readonly inShadow: boolean;
  /** What the probability is of. */
  readonly finding: string | null;
  readonly remarks: readonly string[];
  /** The same, in their order; null where no catalogue has a remark. */
  readonly remarksSaid: readonly (Said | null)[];
  readonly lungFraction: number | null;
  readonly picture: string | null;
  /** Why there is no picture, to whoever may see one. */
  readonly noPicture: 'undecodable' | 'blank' | 'not-in-archive' | null;
  readonly heatMap: string | null;
  readonly report: string | null;
}

/** The stored report of a film and what can be drawn over the film, in its pixels. */
export interface FilmReport {
  readonly summary: string;
  readonly statements: readonly { readonly name: string; readonly value: string }[];
  readonly size: { readonly rows: number; readonly columns: number } | null;
  readonly hotRegion: readonly (readonly [number, number])[];
  /** By the Segmentation, else by the outlines of the heat map; null where the archive has neither. */
  readonly lungs: readonly (readonly (readonly [number, number])[])[] | null;
  /** The stored heat map, an older one, has its outlines drawn in: they can not be hidden. */
  readonly outlinesAreBurnedIn: boolean;
}

/** Body of a claim; takeOver: also where another one has it. */
export interface GivenClaim {
  readonly takeOver?: boolean;
}

/** Body: a page shows a study. */
export interface GivenOpen {
  /** Made by the page at random: one user may have several. */
  readonly page: string;
}

/** Body of a person's urgent mark; null takes it back. */
export interface GivenPriority {
  readonly priority: 'urgent' | null;
}

/** Body of a mark: that a study was read, or that it is to be read again. */
export interface GivenRead {
  readonly read: boolean;
  /** completedAt of the result that was looked at: refused if the study has another one by now */
  readonly completedAt?: string | null;
}

/** Body of a verdict on the result of a study. */
export interface GivenVerdict {
  readonly verdict: ListVerdict;
  readonly note?: string;
  /** completedAt of the result that was looked at: refused if the study has another one by now */
  readonly completedAt?: string;
}

/** Body: a view to be saved, in the place of the one of that name. */
export interface GivenView {
  readonly name: string;
  readonly view: ListView;
}

/** What is installed, and whether the films are still like those that the models were validated on. */
export interface Installation {
  readonly version: string;
  readonly models: readonly { readonly id: string; readonly version: string }[];
  /** Null where this process has no counts to compare. */
  readonly drift: readonly DriftMeasure[] | null;
  readonly docs: readonly { readonly name: string; readonly href: string }[];
}

export type ListPriority = 'urgent' | 'routine';

export type ListState = 'waiting' | 'analysing' | 'done' | 'not-analysed' | 'failed';

export type ListVerdict = 'agree' | 'disagree' | 'unusable';

/** Filters, order, search and columns of the page. */
export interface ListView {
  readonly work: 'unread' | 'mine' | 'read-today' | 'all';
  readonly state?: ListState;
  readonly priority?: ListPriority;
  readonly view?: 'frontal' | 'lateral';
  /** Hours since the arrival, at most. */
  readonly period?: '1' | '24' | '168';
  readonly order: 'oldest' | 'newest';
  readonly hidden?: 'include';
  readonly search?: string;
  /** Beside the result. */
  readonly columns?: readonly ('priority' | 'film' | 'patient' | 'view' | 'waiting' | 'arrived' | 'open')[];
}

/** One event of /api/v1/live; its id is where to resume. */
export type LiveEvent =
  { readonly kind: 'study'; readonly row: StudyRow } | { readonly kind: 'gone'; readonly studyInstanceUid: string };

/** What a model in use is for, how well it was measured to do, where it fails. */
export interface ModelCard {
  readonly id: string;
  readonly version: string;
  /** Markdown */
  readonly text: string;
}

export interface OpenClosed {
  readonly closed: boolean;
}

/** Who has the study open on other pages now. */
export interface OpenElsewhere {
  readonly others: readonly {
    readonly by: string;
    /** Of who asks. */
    readonly mine: boolean;
  }[];
  /** It is forgotten after three times as long. */
  readonly renewAfterSeconds: number;
}

export interface Overview {
  /** Null while the broker does not answer. */
  readonly queues: Readonly<Record<string, number>> | null;
  /** Seconds that the oldest study has waited. */
  readonly ages: Readonly<Record<string, number>> | null;
  readonly checks: readonly { readonly name: string; readonly problem: string | null }[];
  /** Since this process began: those that last first, then the last twenty, the latest first. */
  readonly outages: readonly {
    readonly check: string;
    readonly problem: string;
    readonly from: string;
    readonly to: string | null;
  }[];
  /** Workers that told of a study within a day, with how many each has now and since when. */
  readonly workers: readonly {
    readonly name: string;
    readonly heardAt: string;
    readonly studies: number;
    readonly since: string | null;
  }[];
  /** Null while the broker does not answer. */
  readonly workersConnected: number | null;
  /** Results by the system that they are for; null while the broker does not answer. */
  readonly deliveries:
    | readonly {
        readonly sink: string;
        readonly waiting: number;
        readonly retry: number;
        readonly dead: number;
        /** As this process sees it, where it delivers to the sink. */
        readonly failingSince: string | null;
      }[]
    | null;
  /** Studies by their present state, the hidden ones left aside. */
  readonly states: Readonly<Record<ListState, number>>;
  /** Studies that are not on the list, or hidden, by reason (docs/list.md). */
  readonly leftOut: readonly { readonly reason: string; readonly studies: number }[];
  /** Last 24 hours, oldest first. */
  readonly throughput: readonly { readonly hour: string; readonly studies: number }[];
}

export interface PriorStudies {
  /** The newest first. */
  readonly priors: readonly PriorStudy[];
}

/** An earlier study of the same patient: of the same Patient ID by the same issuer. */
export interface PriorStudy {
  readonly studyInstanceUid: string;
  /** YYYY-MM-DD or '' */
  readonly studyDate: string;
  readonly studyDescription: string;
  readonly views: readonly string[];
  readonly state: ListState;
  readonly result: RowResult | null;
  /** The film that stands for the study. */
  readonly film: FilmDetail | null;
}

/** Who reads a study now. */
export interface RowClaim {
  readonly by: string;
  /** Whether who asks has it. */
  readonly mine: boolean;
  /** It ends then, unless it is renewed. */
  readonly until: string;
}

export interface RowFinding {
  /** The class by name, as the model's manifest has it */
  readonly label: string;
  readonly code: { readonly value: string; readonly scheme: string; readonly meaning: string };
  /** Of the class */
  readonly probability: number;
  /** What the probability was held against; null in a report of an older version that does not say */
  readonly operatingPoint: number | null;
  readonly atOrAbove: boolean;
  readonly priority: ListPriority;
  /** live: it may make a study urgent. shadow: it is computed and written down, and nothing follows from it */
  readonly mode: 'live' | 'shadow';
}

export interface RowPatient {
  readonly id: string;
  /** Family name first, as people read it. */
  readonly name: string;
  /** YYYY-MM-DD or '' */
  readonly birthDate: string;
  readonly sex: string;
}

/** That a study was read. */
export interface RowRead {
  readonly at: string;
  /** ris: the RIS told of a final report. */
  readonly how: 'verdict' | 'person' | 'ris';
  /** Null where the RIS told, and for whoever may not see patients. */
  readonly by: string | null;
}

export interface RowResult {
  /** Of the finding, as in the events. */
  readonly label: string;
  /** 0..1 */
  readonly probability: number;
  readonly threshold: number;
  /** In per cent, as the next; never 0 and never 100 by rounding. */
  readonly probabilityText: string;
  readonly thresholdText: string;
  readonly reached: boolean;
  /** Where it lies, in words: at or above, or below the operating point. */
  readonly relation: string;
}

/** What is said beside it in English, for a reader of another language. */
export interface Said {
  /** Of a message catalogue (src/language/catalogues). */
  readonly key: string;
  /** What its placeholders are filled with. */
  readonly values: Readonly<Record<string, string | number>>;
}

export interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly view: ListView;
}

/** Views that who asks has saved, by name. */
export interface SavedViews {
  readonly views: readonly SavedView[];
}

export interface Session {
  readonly user: string;
  readonly mayReadStudies: boolean;
  readonly maySeePatients: boolean;
  readonly mayOperate: boolean;
  /** Nobody has to sign in (loopback only). */
  readonly everyoneIsLocal: boolean;
  /** `{StudyInstanceUID}`, `{AccessionNumber}` and `{PatientID}` are to be filled in. */
  readonly viewers: readonly { readonly name: string; readonly url: string }[];
  /** IANA name of the site's time zone, in which times are shown. */
  readonly timeZone: string;
  /** The service's clock. */
  readonly now: string;
  readonly version: string;
}

/** How many studies a search of the list has, all pages together. */
export interface StudyCount {
  readonly studies: number;
  readonly urgent: number;
}

export interface StudyDetail {
  readonly row: StudyRow;
  readonly films: readonly FilmDetail[];
  readonly history: readonly {
    readonly at: string;
    readonly text: string;
    /** The parts of the text. */
    readonly said: readonly Said[];
  }[];
  readonly verdicts: readonly VerdictEntry[];
  /** Viewers that open the study. */
  readonly viewers: readonly { readonly name: string; readonly url: string }[];
  readonly models: readonly { readonly id: string; readonly version: string }[];
  readonly softwareVersion: string | null;
  readonly studyDate: string;
  readonly mayJudge: boolean;
}

export interface StudyPage {
  readonly rows: readonly StudyRow[];
  /** For the next page; null at the end. */
  readonly next: string | null;
  /** Number of the last change that the page is sure to have: live updates go on from here. */
  readonly change: number;
}

/** One line of the list. Keys about a patient are missing where their reader may not see them. */
export interface StudyRow {
  readonly studyInstanceUid: string;
  readonly state: ListState;
  /** Why it was not analysed, failed or is tried again: a code, and a sentence where there is one. */
  readonly reason: { readonly code: string; readonly text: string } | null;
  /** The order of the list: the highest of what the RIS or a rule, the finding, and a person say. */
  readonly priority: ListPriority;
  /** Whose word makes it urgent: each that says so. */
  readonly urgentBy: readonly ('order' | 'finding' | 'person')[];
  /** Null while it is not urgent, and where it became so before the list kept this. */
  readonly urgentSince: string | null;
  readonly arrivedAt: string;
  readonly completedAt: string | null;
  /** When a failed try is repeated. */
  readonly retryAt: string | null;
  /** frontal, lateral, or as the film says (PA, LL). */
  readonly views: readonly string[];
  readonly films: number;
  readonly result: RowResult | null;
  /** Of the film that stands for the study, in the order of the classifiers. */
  readonly findings: readonly RowFinding[];
  /** All of them are in shadow: there is no result, and no heat map to show. */
  readonly inShadow: boolean;
  /** The film that stands for the study, where its pictures may be seen. */
  readonly leadFilm: { readonly picture: string; readonly heatMap: string | null } | null;
  readonly verdict: ListVerdict | null;
  /** Null while nobody reads it, and for whoever may not see patients. */
  readonly claim: RowClaim | null;
  /** Null while nobody has read it. */
  readonly read: RowRead | null;
  /** Left out unless it is asked for: no film is of the chest, by its header. */
  readonly hidden: boolean;
  readonly patient?: RowPatient;
  readonly accessionNumber?: string;
  readonly studyDescription?: string;
}

/** How long studies took from their arrival to their reading (docs/list.md). */
export interface Turnaround {
  readonly days: number;
  /** Arrivals from here ... */
  readonly from: string;
  /** ... until before here. */
  readonly to: string;
  readonly timeZone: string;
  /** More than 100,000 studies arrived: these are the latest. */
  readonly cut: boolean;
  /** In no group: it is not known when they came. */
  readonly withoutArrival: number;
  /** All hours first, then each hour in which a study came. */
  readonly groups: readonly TurnaroundGroup[];
}

export interface TurnaroundGroup {
  readonly priority: ListPriority;
  /** Of the arrival, on the site's clocks; null: all hours. */
  readonly hour: number | null;
  readonly arrived: number;
  readonly steps: readonly TurnaroundStepFigures[];
}

export interface TurnaroundStepFigures {
  readonly step: 'result' | 'opened' | 'read' | 'total' | 'first-come';
  /** How many the figures are of. */
  readonly studies: number;
  readonly medianSeconds: number | null;
  readonly p90Seconds: number | null;
  /** Where the step has not ended. */
  readonly notYet: number;
  /** Where a time is missing, or the times are not in this order. */
  readonly leftOut: number;
}

export interface VerdictEntry {
  readonly at: string;
  readonly by: string;
  /** Id of who gave it, as local:NAME: two users may have one name. Null in a verdict of version 0.1. */
  readonly account: string | null;
  readonly verdict: ListVerdict;
  readonly note: string;
  /** Whether it is about the result shown now. */
  readonly current: boolean;
}

/** How much there is to read. */
export interface WorkCounts {
  readonly unread: number;
  readonly unreadUrgent: number;
  /** Claimed by who asks. */
  readonly mine: number;
  /** By the day of the site's time zone. */
  readonly readToday: number;
  readonly hidden: number;
}
