import { setTimeout as sleep } from 'node:timers/promises';
import { HilumError } from '../../base/errors';
import type { Log } from '../../base/log';
import { deriveUid, type Uid } from '../../dicom/uid';
import { SOP_CLASSES } from '../../objects/sop-classes';
import type { StudyRecord } from '../record';
import type { SystemSink } from '../sink';
import { concernsUrgency, isReplacement } from '../statements';
import type { Commitment } from './client';
import { type DicomSettings, type Verification, VERIFICATIONS } from './config';
import { NotOfferedError } from './failure';
import { objectsOf, type ResultObject } from './objects';

/** Port: a peer of an Orthanc; `sinks/dicom/client` fits it by shape. Every method throws HilumError. */
export interface DicomPeer {
  readonly peer: string;
  /** Orthanc's id of an instance; null where it does not have it. */
  find(sopInstanceUid: Uid): Promise<string | null>;
  /** Calling AE title that an instance came from; '' where it came in another way. */
  origin(id: string): Promise<string>;
  /** Whether the peer has the object, by C-FIND. */
  has(object: ResultObject): Promise<boolean>;
  store(id: string): Promise<void>;
  commit(objects: readonly ResultObject[]): Promise<string>;
  commitment(transaction: string): Promise<Commitment>;
  echo(): Promise<void>;
  close(): Promise<void>;
}

type Settings = Pick<DicomSettings, 'objects' | 'when' | 'from' | 'verify' | 'commitmentTimeoutMs'>;

const POLL_MS = 500;
/** How long doctor waits for the report of a storage commitment (milliseconds). */
const PROBE_MS = 10_000;

/**
 * Delivers result objects to a PACS that speaks only DIMSE, through Orthanc. Objects are sent one by one, so that a
 * refused SOP Class does not stop the others; objects that the PACS has are not sent again. A delivery is done when the
 * PACS is known to have all objects.
 */
export function dicomSink(peer: DicomPeer, settings: Settings, log?: Log, now = Date.now): SystemSink {
  const verifier = new Verifier(peer, settings, log, now);
  return {
    handles: ['result', 'replacement', 'withdrawal'],
    ways: VERIFICATIONS,
    wants: ({ priority, films }) =>
      (settings.when === 'all' || priority === 'urgent' || films.some(isReplacement)) &&
      films.some(({ outputs }) => outputs.length > 0),
    async deliver({ record, verified }) {
      // The PACS also gets what replaces or withdraws an urgent result that it has.
      if (settings.when === 'urgent' && !concernsUrgency(record)) return;
      const { films, gone } = await ofOrigin(record, peer, settings.from);
      const objects = objectsOf({ ...record, films }, settings.objects);
      const refused = await sendMissing(peer, objects, verifier);
      const taken = objects.filter((object) => !refused.has(object));
      if (taken.length > 0) {
        const by = await verifier.verify(taken);
        log?.info({ event: 'delivery.verified', objects: taken.length, by }, 'the PACS has the objects');
        verified?.(by, taken.length);
      }
      if (refused.size > 0) throw refusal(peer, objects, refused);
      if (gone > 0) throw unknownOrigin(gone);
    },
    async probe() {
      await peer.echo();
      return verifier.examine();
    },
    close: () => peer.close(),
  };
}

/**
 * Films that came from one of these AE titles (all where none is configured), and the number of those that Orthanc no
 * longer has.
 */
async function ofOrigin(
  { films }: StudyRecord,
  peer: DicomPeer,
  from: readonly string[],
): Promise<Pick<StudyRecord, 'films'> & { readonly gone: number }> {
  if (from.length === 0) return { films, gone: 0 };
  const chosen: StudyRecord['films'][number][] = [];
  let gone = 0;
  for (const film of films.filter(({ outputs }) => outputs.length > 0)) {
    const id = await peer.find(film.sopInstanceUid);
    if (id === null) gone++;
    else if (from.includes(await peer.origin(id))) chosen.push(film);
  }
  return { films: chosen, gone };
}

/** An error, as skipping these films could lose a result. */
function unknownOrigin(films: number): HilumError {
  return new HilumError(
    'NOT_FOUND',
    'permanent',
    `Orthanc has ${films} of the films no more, so where they came from is not known (deliveries.dicom.from)`,
  );
}

/** @returns the error of each object that was refused permanently @throws HilumError for transient errors, at once */
async function sendMissing(
  peer: DicomPeer,
  objects: readonly ResultObject[],
  verifier: Verifier,
): Promise<Map<ResultObject, HilumError>> {
  const refused = new Map<ResultObject, HilumError>();
  for (const object of objects) {
    if (await verifier.isThere(object)) continue;
    const id = await peer.find(object.sopInstanceUid);
    try {
      if (id === null) throw new HilumError('NOT_FOUND', 'permanent', 'Orthanc does not have the object any more');
      await peer.store(id);
    } catch (error) {
      if (!(error instanceof HilumError) || error.lasting !== 'permanent' || isOfSetUp(error)) throw error;
      refused.set(object, error);
    }
  }
  return refused;
}

/** Errors that are not about the object: the next one would fail alike. */
const isOfSetUp = ({ code }: HilumError) => code === 'RECEIVER_UNAUTHORISED';

function refusal(
  { peer }: DicomPeer,
  objects: readonly ResultObject[],
  refused: ReadonlyMap<ResultObject, HilumError>,
): HilumError {
  const reasons = [...refused].map(([{ sopClassUid }, { message }]) => `${sopClassUid}: ${message}`);
  const first = [...refused.values()][0]!;
  return new HilumError(
    first.code,
    'permanent',
    `${peer} has ${objects.length - refused.size} of ${objects.length} objects. ${[...new Set(reasons)].join('; ')}`,
  );
}

/** How long a way that the peer did not offer is not tried again (milliseconds). */
const LACKING_MS = 3_600_000;

/** Made-up UIDs: the answer to a query for them tells which ways a peer offers. */
const [NO_STUDY, NO_SERIES, NO_OBJECT] = ['study', 'series', 'object'].map((what) => deriveUid(['no', what])) as [
  Uid,
  Uid,
  Uid,
];
const NOTHING: ResultObject = {
  sopClassUid: SOP_CLASSES.heatMap,
  studyInstanceUid: NO_STUDY,
  seriesInstanceUid: NO_SERIES,
  sopInstanceUid: NO_OBJECT,
};

type Way = Exclude<Verification, 'status'>;
const WAYS = { commitment: 'storage commitment', find: 'C-FIND' } as const satisfies Record<Way, string>;

/** Verifies that the peer has objects, in the safest way that it offers. */
class Verifier {
  /** Time until which a way that the peer did not offer is not tried. */
  private readonly lacking = new Map<Way, number>();

  constructor(
    private readonly peer: DicomPeer,
    private readonly settings: Pick<Settings, 'verify' | 'commitmentTimeoutMs'>,
    private readonly log: Log | undefined,
    private readonly now: () => number,
  ) {}

  /** Before sending; false also where the peer can't be asked. */
  async isThere(object: ResultObject): Promise<boolean> {
    if (this.settings.verify === 'status') return false;
    return (await this.offered('find', () => this.peer.has(object))) ?? false;
  }

  /**
   * @returns the way used
   * @throws HilumError where the peer does not have the objects, or does not offer the required way
   */
  async verify(objects: readonly ResultObject[]): Promise<Verification> {
    const { verify } = this.settings;
    // A required way is tried each time, as it may have been switched on meanwhile.
    if (verify === 'commitment') await this.areCommitted(objects);
    if (verify === 'find') await this.areFound(objects);
    if (verify !== 'auto') return verify;
    if ((await this.offered('commitment', () => this.areCommitted(objects))) === true) return 'commitment';
    return (await this.offered('find', () => this.areFound(objects))) === true ? 'find' : 'status';
  }

  /**
   * The ways that the peer offers, in a sentence. Changes nothing there.
   * @throws HilumError where it does not offer the required one
   */
  async examine(): Promise<string> {
    const { verify } = this.settings;
    if (verify === 'status') return 'only the status of C-STORE is looked at';
    const notes: string[] = [];
    for (const way of ['commitment', 'find'] as const) {
      if (verify !== 'auto' && verify !== way) continue;
      try {
        await (way === 'find' ? this.peer.has(NOTHING) : this.reportOn([NOTHING], PROBE_MS));
        notes.push(`it offers ${WAYS[way]}`);
      } catch (error) {
        if (verify !== 'auto' || !(error instanceof NotOfferedError)) throw error;
        notes.push(error.message);
      }
    }
    return notes.join('; ');
  }

  /** Undefined where the peer does not offer this way, or did not recently. */
  private async offered<T>(way: Way, work: () => Promise<T>): Promise<T | undefined> {
    if (this.now() < (this.lacking.get(way) ?? 0)) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotOfferedError)) throw error;
      this.lacking.set(way, this.now() + LACKING_MS);
      this.log?.warn(
        { event: 'delivery.not-offered', way, error: error.message },
        'the PACS does not offer this way to make sure of its objects',
      );
      return undefined;
    }
  }

  private async areFound(objects: readonly ResultObject[]): Promise<true> {
    for (const object of objects)
      if (!(await this.peer.has(object)))
        throw new HilumError(
          'RECEIVER_UNAVAILABLE',
          'transient',
          `${this.peer.peer} took an object and does not find it yet`,
        );
    return true;
  }

  private async areCommitted(objects: readonly ResultObject[]): Promise<true> {
    const committed = await this.reportOn(objects, this.settings.commitmentTimeoutMs);
    if (objects.every(({ sopInstanceUid }) => committed.has(sopInstanceUid))) return true;
    throw new HilumError(
      'RECEIVER_UNAVAILABLE',
      'transient',
      `${this.peer.peer} took objects and does not commit to their storage`,
    );
  }

  /** @returns the objects that the peer commits to @throws NotOfferedError also where it does not report in time */
  private async reportOn(objects: readonly ResultObject[], patienceMs: number): Promise<ReadonlySet<string>> {
    const transaction = await this.peer.commit(objects);
    const longest = Math.min(patienceMs, this.settings.commitmentTimeoutMs);
    const end = this.now() + longest;
    for (;;) {
      const { state, committed } = await this.peer.commitment(transaction);
      if (state !== 'pending') return committed;
      if (this.now() >= end) break;
      await sleep(Math.min(POLL_MS, longest));
    }
    throw new NotOfferedError(
      'RECEIVER_TIMEOUT',
      'transient',
      `${this.peer.peer} did not report on a storage commitment in ${longest / 1000} s: does it know Orthanc's AE ` +
        'title, address and port?',
    );
  }
}
