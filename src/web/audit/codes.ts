/** A code as audit messages hold it (PS3.15 A.5.1: csd-code, codeSystemName, originalText). */
export interface AuditCode {
  readonly value: string;
  readonly system: string;
  readonly meaning: string;
}

const dcm = (value: string, meaning: string): AuditCode => ({ value, system: 'DCM', meaning });
const rfc3881 = (value: string, meaning: string): AuditCode => ({ value, system: 'RFC-3881', meaning });

/** CID 400 Audit Event ID. */
export const EVENT = {
  applicationActivity: dcm('110100', 'Application Activity'),
  auditLogUsed: dcm('110101', 'Audit Log Used'),
  instancesAccessed: dcm('110103', 'DICOM Instances Accessed'),
  exported: dcm('110106', 'Export'),
  query: dcm('110112', 'Query'),
  securityAlert: dcm('110113', 'Security Alert'),
  userAuthentication: dcm('110114', 'User Authentication'),
} as const;

/** CID 401 Audit Event Type Code. */
export const EVENT_TYPE = {
  applicationStart: dcm('110120', 'Application Start'),
  applicationStop: dcm('110121', 'Application Stop'),
  login: dcm('110122', 'Login'),
  logout: dcm('110123', 'Logout'),
  securityConfiguration: dcm('110129', 'Security Configuration'),
  restrictedFunction: dcm('110132', 'Use of Restricted Function'),
  auditStopped: dcm('110133', 'Audit Recording Stopped'),
  auditStarted: dcm('110134', 'Audit Recording Started'),
  rolesChanged: dcm('110136', 'Security Roles Changed'),
  userChanged: dcm('110137', 'User Security Attributes Changed'),
} as const;

/** CID 402 Audit Active Participant Role ID Code. */
export const ROLE_ID = {
  application: dcm('110150', 'Application'),
  destination: dcm('110152', 'Destination Role ID'),
  source: dcm('110153', 'Source Role ID'),
  destinationMedia: dcm('110154', 'Destination Media'),
} as const;

/** CID 405 Media Type Code. */
export const MEDIA_URI = dcm('110037', 'URI');

/** CID 404, and Participant Object ID Type Codes of RFC 3881 (PS3.15 A.5.1.2.4). */
export const ID_TYPE = {
  study: dcm('110180', 'Study Instance UID'),
  node: dcm('110182', 'Node ID'),
  patient: rfc3881('2', 'Patient Number'),
  user: rfc3881('11', 'User Identifier'),
  uri: rfc3881('12', 'URI'),
} as const;
