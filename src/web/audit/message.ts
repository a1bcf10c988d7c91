import type { AuditCode } from './codes';

/** An audit message in terms of DICOM PS3.15 A.5.1 and A.5.2. */
export interface AuditMessage {
  readonly event: {
    readonly id: AuditCode;
    readonly types?: readonly AuditCode[];
    /** Create, Read, Update, Delete, Execute. */
    readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
    readonly at: Date;
    /** 0 success, 4 minor, 8 serious, 12 major failure. */
    readonly outcome: 0 | 4 | 8 | 12;
    readonly outcomeText?: string;
  };
  readonly participants: readonly [AuditParticipant, ...AuditParticipant[]];
  readonly source: { readonly id: string; readonly siteId?: string | undefined };
  readonly objects: readonly AuditObject[];
}

export interface AuditParticipant {
  readonly userId: string;
  readonly alternativeUserId?: string;
  readonly userName?: string;
  readonly isRequestor: boolean;
  readonly roles?: readonly AuditCode[];
  /** Network address. */
  readonly address?: string | undefined;
  /** Export media, where the participant is the destination of an export. */
  readonly media?: AuditCode;
}

export interface AuditObject {
  readonly id: string;
  readonly idType: AuditCode;
  /** 1 person, 2 system object. */
  readonly type: 1 | 2;
  /** PS3.15 A.5.1.2.2: 1 patient, 3 report, 11 security user entity, 13 security resource, 24 query. */
  readonly role?: 1 | 3 | 11 | 13 | 24;
  /** PS3.15 A.5.1.2.3. */
  readonly lifeCycle?: 1 | 3 | 6 | 10;
  readonly name?: string;
  /** Encoded in base64. */
  readonly query?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
  readonly accessionNumber?: string | null | undefined;
  readonly studyInstanceUid?: string;
}

const IP_ADDRESS = '2';
const WEB_SERVER = '3';

/**
 * The message as XML on one line, for a file or for syslog, with attributes and elements in the order of the schema
 * (PS3.15 A.5.1).
 */
export function auditXml({ event, participants, source, objects }: AuditMessage): string {
  const identification = element(
    'EventIdentification',
    {
      EventActionCode: event.action,
      EventDateTime: event.at.toISOString(),
      EventOutcomeIndicator: String(event.outcome),
    },
    coded('EventID', event.id) +
      (event.types ?? []).map((type) => coded('EventTypeCode', type)).join('') +
      (event.outcomeText === undefined ? '' : element('EventOutcomeDescription', {}, escape(event.outcomeText))),
  );
  const sourceXml = element(
    'AuditSourceIdentification',
    { AuditEnterpriseSiteID: source.siteId, AuditSourceID: source.id },
    element('AuditSourceTypeCode', { 'csd-code': WEB_SERVER }),
  );
  const content =
    identification + participants.map(participantXml).join('') + sourceXml + objects.map(objectXml).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>${element('AuditMessage', {}, content)}`;
}

function participantXml({
  userId,
  alternativeUserId,
  userName,
  isRequestor,
  roles = [],
  address,
  media,
}: AuditParticipant): string {
  const attributes = {
    UserID: userId,
    AlternativeUserID: alternativeUserId,
    UserName: userName,
    UserIsRequestor: String(isRequestor),
    ...(address === undefined ? {} : { NetworkAccessPointID: address, NetworkAccessPointTypeCode: IP_ADDRESS }),
  };
  const inside =
    roles.map((role) => coded('RoleIDCode', role)).join('') +
    (media === undefined ? '' : element('MediaIdentifier', {}, coded('MediaType', media)));
  return element('ActiveParticipant', attributes, inside);
}

function objectXml({
  id,
  idType,
  type,
  role,
  lifeCycle,
  name,
  query,
  details = [],
  accessionNumber,
  studyInstanceUid,
}: AuditObject): string {
  const attributes = {
    ParticipantObjectID: id,
    ParticipantObjectTypeCode: String(type),
    ParticipantObjectTypeCodeRole: role?.toString(),
    ParticipantObjectDataLifeCycle: lifeCycle?.toString(),
  };
  const nameOrQuery =
    query === undefined
      ? element('ParticipantObjectName', {}, escape(name ?? id))
      : element('ParticipantObjectQuery', {}, base64(query));
  const detailXml = details
    .map(({ type: kind, value }) => element('ParticipantObjectDetail', { type: kind, value: base64(value) }))
    .join('');
  return element(
    'ParticipantObjectIdentification',
    attributes,
    coded('ParticipantObjectIDTypeCode', idType) +
      nameOrQuery +
      detailXml +
      descriptionXml(accessionNumber, studyInstanceUid),
  );
}

function descriptionXml(accessionNumber: string | null | undefined, studyInstanceUid: string | undefined): string {
  const accession = accessionNumber ? element('Accession', { Number: accessionNumber }) : '';
  const study =
    studyInstanceUid === undefined
      ? ''
      : element('ParticipantObjectContainsStudy', {}, element('StudyIDs', { UID: studyInstanceUid }));
  return accession + study === '' ? '' : element('ParticipantObjectDescription', {}, accession + study);
}

function coded(name: string, { value, system, meaning }: AuditCode): string {
  return element(name, { 'csd-code': value, codeSystemName: system, originalText: meaning });
}

function element(name: string, attributes: Readonly<Record<string, string | undefined>>, inside = ''): string {
  const written = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : ` ${key}="${escape(value)}"`))
    .join('');
  return inside === '' ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Escapes text for XML 1.0. Characters that XML does not allow (control characters, unpaired surrogates) become U+FFFD,
 * so that no message is lost because of its text.
 */
function escape(text: string): string {
  return text
    .replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
