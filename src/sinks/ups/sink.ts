import { HilumError } from '../../base/errors';
import type { Uid } from '../../dicom/uid';
import type { StudyRecord } from '../record';
import type { SystemSink } from '../sink';
import type { JsonDataset } from './dicom-json';
import {
  type FoundWorkitem,
  laterWorkitemUid,
  newWorkitem,
  performedWorkitem,
  raisedPriority,
  readWorkitem,
  stateChange,
  listsOutputsOf,
  transactionUid,
  upsPriority,
  withdrawnWorkitem,
  type WorkitemSettings,
  workitemUid,
} from './message';

/** Port: a UPS-RS server (PS3.18 section 11); `sinks/ups/client` fits it by shape. Every method throws HilumError. */
export interface WorklistServer {
  /** Create Workitem: false when it exists already. */
  create(uid: Uid, workitem: JsonDataset): Promise<boolean>;
  /** Retrieve Workitem: null when the server does not return it (any more). */
  retrieve(uid: Uid): Promise<unknown>;
  /** Update Workitem: false when state or lock forbid it. */
  update(uid: Uid, transaction: Uid, changes: JsonDataset): Promise<boolean>;
  /** Change Workitem State: false when state or lock forbid it. */
  changeState(uid: Uid, change: JsonDataset): Promise<boolean>;
  /** Connects and signs in; changes nothing. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** Final state of a workitem: `told`: completed with this result; or at its end with another one. */
type End = 'told' | 'other-result';

/**
 * A completed workitem for each result: created, claimed, updated, completed. It starts from the state on the server,
 * so that a repetition after a crash continues where the first attempt ended.
 */
export function upsSink(server: WorklistServer, settings: WorkitemSettings): SystemSink {
  return {
    handles: ['result', 'correction', 'replacement', 'withdrawal'],
    // A workitem without outputs can't be completed (PS3.4 table CC.2.5-3).
    wants: ({ films }) => films.some(({ outputs }) => outputs.length > 0),
    deliver: async ({ kind, record }) => {
      if (kind === 'withdrawal') return cancelWorkitem(server, record, settings);
      for (const uid of workitemsFor(record)) {
        if ((await bringToEnd(server, uid, record, settings)) === 'told') return;
      }
      throw refused('it is at its end with another result');
    },
    probe: () => server.probe(),
    close: () => server.close(),
  };
}

/**
 * Cancels the study's workitem where it is open. Else, as a completed one can't be canceled (PS3.4 section CC.1.1), one
 * for this later result is created, and canceled with the reason. The study's own is never created for it: it would be
 * at its end before the next result of the study.
 */
async function cancelWorkitem(server: WorklistServer, record: StudyRecord, settings: WorkitemSettings): Promise<void> {
  const uid = workitemUid(record);
  const found = await look(server, uid);
  if (found?.state === 'SCHEDULED' || found?.state === 'IN PROGRESS') return cancel(server, uid, found.state, record);
  if (found?.state === 'CANCELED' && !found.isWithdrawn) return;
  const later = laterWorkitemUid(record);
  const created = await server.create(later, newWorkitem(record, settings));
  const state = created ? 'SCHEDULED' : ((await look(server, later))?.state ?? 'CANCELED');
  if (state === 'COMPLETED') throw refused('it is completed, and can not be canceled');
  if (state !== 'CANCELED') await cancel(server, later, state, record);
}

async function cancel(
  server: WorklistServer,
  uid: Uid,
  state: 'SCHEDULED' | 'IN PROGRESS',
  record: StudyRecord,
): Promise<void> {
  const transaction = transactionUid(uid);
  if (state === 'SCHEDULED') await server.changeState(uid, stateChange(transaction, 'IN PROGRESS'));
  const isDone =
    (await server.update(uid, transaction, withdrawnWorkitem(record, transaction))) &&
    (await server.changeState(uid, stateChange(transaction, 'CANCELED')));
  if (isDone || (await look(server, uid))?.state === 'CANCELED') return;
  throw refused('the worklist server does not let Hilum cancel it: another system may have claimed it');
}

/** A correction has a workitem of its own: a completed one can't be changed, and it names the earlier patient. */
function workitemsFor(record: StudyRecord): Uid[] {
  return record.correction === undefined ? [workitemUid(record), laterWorkitemUid(record)] : [laterWorkitemUid(record)];
}

async function bringToEnd(
  server: WorklistServer,
  uid: Uid,
  record: StudyRecord,
  settings: WorkitemSettings,
): Promise<End> {
  const ours = upsPriority(record, settings);
  const created = await server.create(uid, newWorkitem(record, settings));
  const found = created
    ? { state: 'SCHEDULED' as const, priority: ours, outputs: [], isWithdrawn: false }
    : await look(server, uid);
  const end = endOf(found, record);
  if (end !== null) return end;
  const transaction = transactionUid(uid);
  // Where it is in progress already, the update shows whether we hold the lock.
  if (found?.state === 'SCHEDULED') await server.changeState(uid, stateChange(transaction, 'IN PROGRESS'));
  const raised = raisedPriority(found?.priority ?? null, ours);
  if (!(await server.update(uid, transaction, performedWorkitem(record, settings, transaction, raised))))
    return endedMeanwhile(server, uid, record, 'update');
  if (!(await server.changeState(uid, stateChange(transaction, 'COMPLETED'))))
    return endedMeanwhile(server, uid, record, 'complete');
  return 'told';
}

/**
 * Null where the server has the workitem and does not return it, as it may do in a final state (PS3.18 section 11.5.2).
 */
async function look(server: WorklistServer, uid: Uid): Promise<FoundWorkitem | null> {
  const item = await server.retrieve(uid);
  if (item === null) return null;
  const found = readWorkitem(item);
  if (found === undefined)
    throw new HilumError(
      'RECEIVER_RESPONSE_INVALID',
      'transient',
      'the worklist server answered with something other than a workitem',
    );
  return found;
}

/**
 * Null while there is something to do. A workitem that somebody canceled or removed is not created again; one that
 * Hilum canceled was of a result that was withdrawn.
 */
function endOf(found: FoundWorkitem | null, record: StudyRecord): End | null {
  if (found === null) return 'told';
  if (found.state === 'CANCELED') return found.isWithdrawn ? 'other-result' : 'told';
  if (found.state !== 'COMPLETED') return null;
  return listsOutputsOf(found, record) ? 'told' : 'other-result';
}

async function endedMeanwhile(server: WorklistServer, uid: Uid, record: StudyRecord, action: string): Promise<End> {
  const found = await look(server, uid);
  // It is gone between two steps: the next attempt finds out whether the server still knows it.
  if (found === null)
    throw new HilumError(
      'RECEIVER_UNAVAILABLE',
      'transient',
      'the worklist server lost a workitem that was in progress',
    );
  const end = endOf(found, record);
  if (end !== null) return end;
  throw refused(
    `the worklist server does not let Hilum ${action} it, though it is not at its end: another system may have ` +
      'claimed it',
  );
}

function refused(why: string): HilumError {
  return new HilumError('RECEIVER_REFUSED', 'permanent', `workitem: ${why}`);
}
