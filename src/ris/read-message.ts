import { wallTimeOf } from '../base/time-zone';
import { mostUrgent } from '../events/priority';
import type { Answer } from '../hl7/acknowledgement';
import type { Hl7Message, Segment } from '../hl7/message';
import { instantOf } from '../hl7/time';
import type { OrderReference, PatientIdentifier, RisChange } from './changes';
import type { RisConfig } from './config';
import { accessionOf, isCancelled, type Order, ordersOf, priorityCodesOf } from './orders';
import { DELETED, demographicsOf, identifiersOf, UNREADABLE } from './patient';

export type RisSettings = Pick<
  RisConfig,
  'accession' | 'matchPatient' | 'assigningAuthorities' | 'urgentPriorities'
> & {
  /** Time zone of times without an offset (IANA name). */
  readonly timeZone: string;
};

/** The changes in a message, possibly none. `problem`: it can't be used and need not be sent again. */
export type Reading<Change extends RisChange = RisChange> =
  { readonly changes: readonly Change[] } | { readonly problem: NonNullable<Answer['problem']> };

type Reader = (message: Hl7Message, settings: RisSettings, now: number) => Reading;

/** Accepted message types: a closed list, documented in docs/ris.md; a test compares. */
export const MESSAGE_TYPES = ['ORU^R01', 'ORM^O01', 'OMI^O23', 'OMG^O19', 'ADT^A08', 'ADT^A40'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

const READERS: Readonly<Record<MessageType, Reader>> = {
  'ORU^R01': readReports,
  'ORM^O01': readOrders,
  'OMI^O23': readOrders,
  'OMG^O19': readOrders,
  'ADT^A08': readPatient,
  'ADT^A40': readMerges,
};

/** Trigger events of messages that name none (HL7 v2.1 and v2.2). */
const ONLY_EVENT: Readonly<Record<string, string>> = { ORU: 'R01', ORM: 'O01' };

/** Undefined for a message type that is not accepted. */
export function messageTypeOf({ header, segments }: Hl7Message): MessageType | undefined {
  const type = header.text(9, 1);
  const event = header.text(9, 2) || (find(segments, 'EVN')?.text(1) ?? '') || (ONLY_EVENT[type] ?? '');
  return MESSAGE_TYPES.find((known) => known === `${type}^${event}`);
}

/** Changes in a message. @param now latest possible time of an event (milliseconds since 1970) */
export function readRisMessage(type: MessageType, message: Hl7Message, settings: RisSettings, now: number): Reading {
  return READERS[type](message, settings, now);
}

/** MSH-7, but not later than now; now where it is missing. */
export function sentAt({ header }: Hl7Message, { timeZone }: Pick<RisSettings, 'timeZone'>, now: number): number {
  return Math.min(instantOf(header.text(7), timeZone) ?? now, now);
}

/** Coding system of Hilum's own observations (`sinks/hl7`). */
const OWN_SYSTEM = '99HILUM';

/**
 * Whether a message is a result of Hilum that came back, judged by its content, as an integration engine may send it in
 * its own name. (A correction by Hilum has the same status as a report corrected by a person.)
 */
export function isOurs({ header, segments }: Hl7Message, applications: readonly string[]): boolean {
  return (
    applications.includes(header.text(3)) ||
    segments.some((segment) => segment.name === 'OBX' && [3, 6].some((part) => segment.text(3, part) === OWN_SYSTEM))
  );
}

/** Table 0123: final, and corrected final. */
const FINAL = ['F', 'C'];

function readReports(message: Hl7Message, settings: RisSettings, now: number): Reading {
  const final = ordersOf(message.segments).filter(({ obr }) => FINAL.includes(obr?.text(25) ?? ''));
  return byAccession(message, settings, final, (order, reference) => {
    const readAt = readTimeOf(order, message, settings, now);
    const readOnWallClock = wallTimeOf(readAt, settings.timeZone);
    return { kind: 'final-report', order: reference, readAt, readOnWallClock };
  });
}

/** OBR-22, else the last OBX-14, else MSH-7; not later than now. */
function readTimeOf({ obr, observations }: Order, message: Hl7Message, settings: RisSettings, now: number): number {
  const times = [obr?.text(22) ?? '', ...observations.map((obx) => obx.text(14)).reverse()].map((text) =>
    instantOf(text, settings.timeZone),
  );
  return Math.min(times.find((time) => time !== null) ?? sentAt(message, settings, now), now);
}

function readOrders(message: Hl7Message, settings: RisSettings): Reading {
  const urgent = settings.urgentPriorities.map((code) => code.toUpperCase());
  const telling = ordersOf(message.segments).filter((order) => isCancelled(order) || priorityCodesOf(order).length > 0);
  const reading = byAccession<OrderPriority>(message, settings, telling, (order, reference) => {
    const codes = priorityCodesOf(order).filter((code) => code !== DELETED);
    const priority = codes.some((code) => urgent.includes(code.toUpperCase())) ? 'urgent' : 'routine';
    const isTakenBack = isCancelled(order) || codes.length === 0;
    return { kind: 'order-priority', order: reference, priority: isTakenBack ? null : priority };
  });
  return 'problem' in reading ? reading : { changes: highestByAccession(reading.changes) };
}

type OrderPriority = Extract<RisChange, { readonly kind: 'order-priority' }>;

/** One change for each accession number. A priority is taken back only where all orders of the number are. */
function highestByAccession(changes: readonly OrderPriority[]): OrderPriority[] {
  const highest = new Map<string, OrderPriority>();
  for (const change of changes) {
    const { accessionNumber } = change.order;
    const before = highest.get(accessionNumber)?.priority ?? null;
    highest.set(accessionNumber, { ...change, priority: mostUrgent([before, change.priority]) });
  }
  return [...highest.values()];
}

/** Orders without an accession number are a problem only where no order of the message has one. */
function byAccession<Change extends RisChange>(
  { segments }: Hl7Message,
  { accession, matchPatient }: RisSettings,
  orders: readonly Order[],
  change: (order: Order, reference: OrderReference) => Change,
): Reading<Change> {
  const pid = find(segments, 'PID');
  // Identifiers of any authority: a patient whom the list knows by none of them is another patient.
  const patient = pid === undefined || !matchPatient ? [] : identifiersOf(pid, 3, []);
  const changes = orders.flatMap((order) => {
    const accessionNumber = accessionOf(order, accession);
    return accessionNumber === '' ? [] : [change(order, { accessionNumber, patient })];
  });
  if (orders.length > 0 && changes.length === 0)
    return problem('required', `no accession number in ${accession} (ris.accession), nor in IPC-1`);
  return { changes };
}

function readPatient({ segments }: Hl7Message, { assigningAuthorities }: RisSettings): Reading {
  const pid = find(segments, 'PID');
  if (pid === undefined) return problem('sequence', 'no PID segment');
  const patient = identifiersOf(pid, 3, assigningAuthorities);
  if (patient.length === 0) return NO_IDENTIFIER;
  const demographics = demographicsOf(pid);
  if (isUnreadable([patient, demographics])) return UNREADABLE_TEXT;
  return { changes: Object.keys(demographics).length === 0 ? [] : [{ kind: 'patient', patient, demographics }] };
}

/** Each MRG belongs to the PID before it. */
function readMerges({ segments }: Hl7Message, { assigningAuthorities }: RisSettings): Reading {
  const changes: RisChange[] = [];
  let pid: Segment | undefined;
  for (const segment of segments) {
    if (segment.name === 'PID') pid = segment;
    if (segment.name !== 'MRG' || pid === undefined) continue;
    const patient = identifiersOf(pid, 3, assigningAuthorities);
    const prior = identifiersOf(segment, 1, assigningAuthorities).filter((one) => !isAmong(one, patient));
    if (patient.length === 0) return NO_IDENTIFIER;
    const demographics = demographicsOf(pid);
    if (isUnreadable([patient, prior, demographics])) return UNREADABLE_TEXT;
    if (prior.length > 0) changes.push({ kind: 'merge', prior, patient, demographics });
  }
  return find(segments, 'MRG') === undefined || pid === undefined
    ? problem('sequence', 'no PID segment with an MRG segment behind it')
    : { changes };
}

/** The surviving identifier is not merged into another. */
function isAmong({ id, issuers }: PatientIdentifier, patient: readonly PatientIdentifier[]): boolean {
  return patient.some((other) => other.id === id && other.issuers.join('^') === issuers.join('^'));
}

const isUnreadable = (values: unknown) => JSON.stringify(values).includes(UNREADABLE);
const NO_IDENTIFIER = problem('required', 'no identifier of the patient in PID-3 that counts');
const UNREADABLE_TEXT = problem('dataType', 'characters that are none of the character set of MSH-18');

function problem(error: NonNullable<Answer['problem']>['error'], text: string): Reading<never> {
  return { problem: { error, text } };
}

function find(segments: readonly Segment[], name: string): Segment | undefined {
  return segments.find((segment) => segment.name === name);
}
