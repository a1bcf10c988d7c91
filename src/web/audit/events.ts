import type { AuditedStudy, AuditEvent } from '../access/audit-event';
import { type AuditCode, EVENT, EVENT_TYPE, ID_TYPE, MEDIA_URI, ROLE_ID } from './codes';
import type { AuditMessage, AuditObject, AuditParticipant } from './message';

/** Author of an event, as the message names it. */
export interface Actor {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly address: string | undefined;
}

/** Source of the messages. */
export interface AuditSource {
  readonly id: string;
  readonly siteId?: string | undefined;
}

/** An event about accounts, sign-in or the service itself. */
export type SystemEvent =
  | { readonly kind: 'start' | 'stop' }
  | { readonly kind: 'sign-in' | 'sign-out'; readonly outcome: 'success' | 'failure' | 'locked'; readonly why?: string }
  | { readonly kind: 'refused'; readonly what: string }
  | { readonly kind: 'account'; readonly what: string; readonly account: string; readonly isRoleChange: boolean };

type Body = Pick<AuditMessage, 'objects'> & {
  readonly event: Omit<AuditMessage['event'], 'at'>;
  readonly participants?: readonly AuditParticipant[];
  readonly actorRole?: AuditCode;
};

/** Audit messages of an event: one for each patient where the Standard wants one patient in each (PS3.15 A.5.3.6). */
export function messagesOf(
  event: AuditEvent | SystemEvent,
  actor: Actor,
  source: AuditSource,
  at: Date,
): AuditMessage[] {
  return bodiesOf(event, source).map(({ event: identification, objects, participants = [], actorRole }) => ({
    event: { ...identification, at },
    participants: [actorOf(actor, actorRole), ...participants],
    source,
    objects,
  }));
}

function actorOf({ id, name, roles, address }: Actor, role: AuditCode | undefined): AuditParticipant {
  const own = roles.map((value) => ({ value, system: '99HILUM', meaning: `Hilum ${value}` }));
  return {
    userId: id,
    userName: name,
    isRequestor: true,
    roles: [...(role === undefined ? [] : [role]), ...own],
    address,
  };
}

function bodiesOf(event: AuditEvent | SystemEvent, source: AuditSource): Body[] {
  switch (event.kind) {
    case 'study-read':
      return byPatient(event.studies).map((studies) => accessed('R', 6, studies));
    case 'study-created':
      return byPatient(event.studies).map((studies) => accessed('C', 1, studies));
    case 'study-updated':
      return byPatient(event.studies).map((studies) => accessed('U', 3, studies));
    case 'query':
      return [query(event, source)];
    case 'export':
      return [exported(event)];
    case 'restricted-function':
      return [
        alert(
          EVENT_TYPE.restrictedFunction,
          event.what,
          0,
          [...event.studies.map(studyObject()), ...patients(event.studies)],
          source,
        ),
      ];
    case 'start':
      return [
        activity(EVENT_TYPE.applicationStart, source),
        alert(EVENT_TYPE.auditStarted, 'audit recording started', 0, [], source),
      ];
    case 'stop':
      return [
        activity(EVENT_TYPE.applicationStop, source),
        alert(EVENT_TYPE.auditStopped, 'audit recording stopped', 0, [], source),
      ];
    case 'sign-in':
    case 'sign-out':
      return [authentication(event)];
    case 'refused':
      return [alert(EVENT_TYPE.restrictedFunction, `refused: ${event.what}`, 8, [], source)];
    case 'account':
      return [
        alert(
          event.isRoleChange ? EVENT_TYPE.rolesChanged : EVENT_TYPE.userChanged,
          event.what,
          0,
          [{ id: event.account, idType: ID_TYPE.user, type: 1, role: 11 }],
          source,
        ),
      ];
  }
}

function query({ query: asked, studies }: AuditEvent & { kind: 'query' }, source: AuditSource): Body {
  return {
    event: { id: EVENT.query, action: 'E', outcome: 0 },
    actorRole: ROLE_ID.source,
    participants: [self(source, ROLE_ID.destination)],
    objects: [queried(asked), ...studies.map(studyObject()), ...patients(studies)],
  };
}

function exported({ destination, studies }: AuditEvent & { kind: 'export' }): Body {
  return {
    event: { id: EVENT.exported, action: 'R', outcome: 0 },
    actorRole: ROLE_ID.source,
    participants: [{ userId: destination, isRequestor: false, roles: [ROLE_ID.destinationMedia], media: MEDIA_URI }],
    objects: [...studies.map(studyObject(10)), ...patients(studies)],
  };
}

/** PS3.15 A.5.3.6: studies of one patient. */
function accessed(action: 'R' | 'C' | 'U', lifeCycle: 1 | 3 | 6, studies: readonly AuditedStudy[]): Body {
  return {
    event: { id: EVENT.instancesAccessed, action, outcome: 0 },
    objects: [...studies.map(studyObject(lifeCycle)), ...patients(studies)],
  };
}

/** Application Activity (PS3.15 A.5.3.1). The service does not know who started it. */
function activity(type: AuditCode, source: AuditSource): Body {
  return {
    event: { id: EVENT.applicationActivity, types: [type], action: 'E', outcome: 0 },
    actorRole: ROLE_ID.application,
    participants: [],
    objects: [{ id: source.id, idType: ID_TYPE.node, type: 2, role: 13 }],
  };
}

/** Security Alert (PS3.15 A.5.3.11): the event is in the detail "Alert Description". */
function alert(
  type: AuditCode,
  what: string,
  outcome: 0 | 8,
  objects: readonly AuditObject[],
  source: AuditSource,
): Body {
  const subject: AuditObject = {
    id: source.id,
    idType: ID_TYPE.node,
    type: 2,
    role: 13,
    details: [{ type: 'Alert Description', value: what }],
  };
  return { event: { id: EVENT.securityAlert, types: [type], action: 'E', outcome }, objects: [subject, ...objects] };
}

/** PS3.15 A.5.3.12. */
function authentication({ kind, outcome, why }: Extract<SystemEvent, { readonly kind: 'sign-in' | 'sign-out' }>): Body {
  const failed = { success: 0, failure: 4, locked: 8 } as const;
  return {
    event: {
      id: EVENT.userAuthentication,
      types: [kind === 'sign-in' ? EVENT_TYPE.login : EVENT_TYPE.logout],
      action: 'E',
      outcome: failed[outcome],
      ...(why === undefined ? {} : { outcomeText: why }),
    },
    objects: [],
  };
}

function self(source: AuditSource, role: AuditCode): AuditParticipant {
  return { userId: source.id, isRequestor: false, roles: [role] };
}

/**
 * The list is queried over HTTP, not by DICOM: the object is its URL, and the search is where the Standard has the
 * query's data set (PS3.15 A.5.3.10).
 */
function queried(query: string): AuditObject {
  return { id: 'studies', idType: ID_TYPE.uri, type: 2, role: 24, query };
}

const studyObject =
  (lifeCycle?: 1 | 3 | 6 | 10) =>
  ({ studyInstanceUid, accessionNumber }: AuditedStudy): AuditObject => ({
    id: studyInstanceUid,
    idType: ID_TYPE.study,
    type: 2,
    role: 3,
    ...(lifeCycle === undefined ? {} : { lifeCycle }),
    accessionNumber,
    studyInstanceUid,
  });

/**
 * Each patient once. A patient without an ID in the archive has an empty one, as the participant object is mandatory.
 */
function patients(studies: readonly AuditedStudy[]): AuditObject[] {
  return [...new Set(studies.map(({ patientId }) => patientId ?? ''))].map((id) => ({
    id,
    idType: ID_TYPE.patient,
    type: 1,
    role: 1,
  }));
}

function byPatient(studies: readonly AuditedStudy[]): AuditedStudy[][] {
  const groups = new Map<string | null, AuditedStudy[]>();
  for (const study of studies) groups.set(study.patientId, [...(groups.get(study.patientId) ?? []), study]);
  return [...groups.values()];
}
