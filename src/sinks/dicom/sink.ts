import { setTimeout as sleep } from 'node:timers/promises';
import { HilumError } from '../../base/errors';
import type { Log } from '../../base/log';
import type { Uid } from '../../dicom/uid';
import type { StudyRecord } from '../record';
import type { SystemSink } from '../sink';
import type { Commitment } from './client';
import type { DicomSettings, VERIFICATIONS } from './config';
import { NotOfferedError } from './failure';
import { objectsOf, type ResultObject } from './objects';

type Verification = (typeof VERIFICATIONS)[number];

/** Port: a peer of an Orthanc; `sinks/dicom/client` fits it by shape. Every method throws HilumError. */
export interface DicomPeer {
  readonly peer: string;
  /** Orthanc's id of an instance; null where it does not have it. */
  find(sopInstanceUid: Uid): Promise<string | null>;
  /** AE title that an instance came from; '' where it came otherwise. */
  origin(id: string): Promise<string>;
  /** Whether the peer has it, by C-FIND. */
  has(object: ResultObject): Promise<boolean>;
  store(id: string): Promise<void>;
  commit(objects: readonly ResultObject[]): Promise<string>;
  commitment(transaction: string): Promise<Commitment>;
  echo(): Promise<void>;
  close(): Promise<void>;
}

type Settings = Pick<DicomSettings, 'objects' | 'when' | 'from' | 'verify' | 'commitmentTimeoutMs'>;

const POLL_MS = 500;

/**
 * Result objects to a PACS that speaks only DIMSE, through Orthanc. Each object is sent for itself, so that one SOP
 * Class that is refused holds up no other; what the PACS has already is not sent again. Done is what the PACS is known
 * to have.
 */
export function dicomSink(peer: DicomPeer, settings: Settings, log?: Log): SystemSink {
  const verifier = new Verifier(peer, settings, log);
  return {
    handles: ['result', 'replacement', 'withdrawal'],
    wants: ({ priority, films }) =>
      (settings.when === 'all' || priority === 'urgent') && films.some(({ outputs }) => outputs.length > 0),
    async deliver({ record }) {
      const objects = objectsOf(await ofOrigin(record, peer, settings.from), settings.objects);
      if (objects.length === 0) return;
      const refused = await sendMissing(peer, objects, verifier);
      const by = await verifier.verify(objects.filter((object) => !refused.has(object)));
      log?.info({ event: 'delivery.verified', objects: objects.length - refused.size, by }, 'the PACS has the objects');
      if (refused.size > 0) throw refusal(peer, objects, refused);
    },
    probe: () => peer.echo(),
    close: () => peer.close(),
  };
}

/** The films that came from one of these AE titles; all where none is named. */
async function ofOrigin(record: StudyRecord, peer: DicomPeer, from: readonly string[]): Promise<StudyRecord> {
  if (from.length === 0) return record;
  const films = [];
  for (const film of record.films) {
    const id = await peer.find(film.sopInstanceUid);
    if (id !== null && from.includes(await peer.origin(id))) films.push(film);
  }
  return { ...record, films };
}

/** @returns the error of each object that was refused for good; @throws HilumError what may pass, at once */
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

/** Nothing of the object: the next one would fail alike. */
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

/** Makes sure that the peer has objects, in the surest way that it offers. */
class Verifier {
  /** Ways that the peer turned out not to offer, while this process lives. */
  private readonly lacking = new Set<Verification>();

  constructor(
    private readonly peer: DicomPeer,
    private readonly settings: Pick<Settings, 'verify' | 'commitmentTimeoutMs'>,
    private readonly log: Log | undefined,
  ) {}

  /** Before it is sent; false also where the peer can't be asked. */
  async isThere(object: ResultObject): Promise<boolean> {
    if (this.settings.verify === 'status' || this.lacking.has('find')) return false;
    return (await this.offered('find', () => this.peer.has(object))) ?? false;
  }

  /** @returns in which way; @throws HilumError where the peer does not have them */
  async verify(objects: readonly ResultObject[]): Promise<Verification> {
    const { verify } = this.settings;
    if (objects.length === 0) return 'status';
    if (await this.tried('commitment', () => this.isCommitted(objects))) return 'commitment';
    if (await this.tried('find', () => this.areFound(objects))) return 'find';
    if (verify === 'auto' || verify === 'status') return 'status';
    throw new HilumError(
      'RECEIVER_REFUSED',
      'permanent',
      `${this.peer.peer} does not offer what deliveries.dicom.verify asks for: ${verify}`,
    );
  }

  /** False where this way is not wanted, or not offered. */
  private async tried(way: 'commitment' | 'find', work: () => Promise<boolean>): Promise<boolean> {
    const { verify } = this.settings;
    if ((verify !== 'auto' && verify !== way) || this.lacking.has(way)) return false;
    return (await this.offered(way, work)) ?? false;
  }

  /** Undefined where the peer does not offer it. */
  private async offered<T>(way: Verification, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotOfferedError)) throw error;
      this.lacks(way);
      return undefined;
    }
  }

  private lacks(way: Verification): void {
    this.lacking.add(way);
    this.log?.warn(
      { event: 'delivery.not-offered', way },
      'the PACS does not offer this way to make sure of its objects',
    );
  }

  private async areFound(objects: readonly ResultObject[]): Promise<boolean> {
    for (const object of objects)
      if (!(await this.peer.has(object)))
        throw new HilumError(
          'RECEIVER_UNAVAILABLE',
          'transient',
          `${this.peer.peer} took an object and does not find it yet`,
        );
    return true;
  }

  /** A peer that never reports, as it does not know Orthanc's address, is asked once: false. */
  private async isCommitted(objects: readonly ResultObject[]): Promise<boolean> {
    const transaction = await this.peer.commit(objects);
    const end = Date.now() + this.settings.commitmentTimeoutMs;
    for (;;) {
      const { state, committed } = await this.peer.commitment(transaction);
      if (state !== 'pending') {
        if (objects.every(({ sopInstanceUid }) => committed.has(sopInstanceUid))) return true;
        throw new HilumError(
          'RECEIVER_UNAVAILABLE',
          'transient',
          `${this.peer.peer} took objects and does not commit to their storage`,
        );
      }
      if (Date.now() >= end) break;
      await sleep(Math.min(POLL_MS, this.settings.commitmentTimeoutMs));
    }
    if (this.settings.verify === 'commitment')
      throw new HilumError(
        'RECEIVER_TIMEOUT',
        'transient',
        `${this.peer.peer} did not report on a storage commitment: does it know Orthanc's AE title and address?`,
      );
    this.lacks('commitment');
    return false;
  }
}
