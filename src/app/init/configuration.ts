import { type Endpoint, orthancUrlOf, type Site } from './site';

/** A file beside the configuration that only root and the service can read. */
export interface SecretFile {
  readonly name: string;
  readonly content: string;
}

/** Text of a configuration with a comment on each part, and the password files that it names. */
export function configurationOf({ archive, broker, list, pacs, stateDir }: Site): {
  text: string;
  secrets: SecretFile[];
} {
  const text = `# Made by hilum init. Every key is explained in configuration.md.
# Secrets stand in files of their own: \${file:NAME}, beside this one, or \${env:NAME}.

# DICOMweb root of the archive: the part before /studies. The account may query, retrieve and store.
archive:
  url: ${quoted(archive.url)}
  auth: ${authOf(archive)}

# RabbitMQ: study events come from it, result events go to it.
broker:
  url: ${quoted(urlWithAccount(broker))}

# Pages, health and metrics. Outside this machine they need TLS, or a reverse proxy, and a sign-in (security.md).
http:
  host: 127.0.0.1
  port: 8080
${pacs === undefined ? '' : pacsOf(archive)}${list ? LIST : NO_LIST}
# What must outlive a restart: lists, accounts, audit trail, counts of drift. The service writes nowhere else.
state:
  dir: ${quoted(stateDir)}

log:
  level: info
`;
  return { text, secrets: [...archiveSecret(archive), ...brokerSecret(broker)] };
}

const LIST = `
# The reading list, with accounts of Hilum's own (hilum users).
list:
  enabled: true
access:
  kind: local
`;

const NO_LIST = `
# The reading list: enabled: true, and then access.kind, so that people sign in.
list:
  enabled: false
`;

/** Name of the PACS in Orthanc's DicomModalities. */
export const PACS = 'pacs';

/** Delivery to the PACS through Orthanc, with the archive's account. */
const pacsOf = (archive: Endpoint) => `
# Results go by C-STORE to the PACS that Orthanc knows as ${PACS} (pacs.md).
deliveries:
  dicom:
    enabled: true
    url: ${quoted(orthancUrlOf(archive.url))}
    auth: ${authOf(archive)}
    modality: ${PACS}
`;

const ARCHIVE_PASSWORD = 'archive-password';
const ARCHIVE_SECRET = `"\${file:${ARCHIVE_PASSWORD}}"`;
const BROKER_PASSWORD = 'broker-password';

/** Quoted as a YAML text; JSON is YAML. */
const quoted = (text: string) => JSON.stringify(text);

const authOf = ({ username, password }: Endpoint) =>
  username === undefined
    ? '{ kind: none }'
    : `{ kind: basic, username: ${quoted(username)}, password: ${password === undefined ? '""' : ARCHIVE_SECRET} }`;

/** The broker's account is part of its URL. */
function urlWithAccount({ url, username, password }: Endpoint): string {
  if (username === undefined) return url;
  const account = [encodeURIComponent(username), ...(password === undefined ? [] : [`\${file:${BROKER_PASSWORD}}`])];
  return url.replace('//', `//${account.join(':')}@`);
}

const archiveSecret = ({ password }: Endpoint): SecretFile[] =>
  password === undefined ? [] : [{ name: ARCHIVE_PASSWORD, content: password }];

/** Percent-encoded, as the file's content becomes part of a URL. */
const brokerSecret = ({ password }: Endpoint): SecretFile[] =>
  password === undefined ? [] : [{ name: BROKER_PASSWORD, content: encodeURIComponent(password) }];
