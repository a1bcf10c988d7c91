import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A self-signed certificate for 127.0.0.1, good as authority, server and client, in a folder that `remove` takes away.
 * Needs openssl.
 */
export function certificate(): { certFile: string; keyFile: string; cert: Buffer; key: Buffer; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-test-tls-'));
  const [keyFile, certFile] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const form = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  execFileSync('openssl', ['req', ...form, '-keyout', keyFile, '-out', certFile], { stdio: 'pipe' });
  return {
    certFile,
    keyFile,
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** What a server shows: its certificate and key, in PEM. */
export interface Shown {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * A certificate authority of a hospital, with certificates for 127.0.0.1 that it issued: in a folder that `remove`
 * takes away.
 */
export interface Authority {
  readonly caFile: string;
  readonly ca: Buffer;
  readonly good: Shown & { readonly certFile: string; readonly keyFile: string };
  /** It was good until yesterday. */
  readonly expired: Shown;
  /** Of the name other.example. */
  readonly wrongHost: Shown;
  remove(): void;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function authority(): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-test-ca-'));
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { stdio: 'pipe' });
  const made = ['-keyout', at('ca.key'), '-out', at('ca.pem')];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl('req', '-x509', ...EC_KEY, '-days', '2', '-subj', '/CN=Hospital authority', ...usage, ...made);
  writeFileSync(at('ca.index'), '');
  writeFileSync(at('ca.conf'), issuing(dir));
  const issue = (name: string, alternative: string, from: number, to: number) => {
    const [key, csr, pem] = [at(`${name}.key`), at(`${name}.csr`), at(`${name}.pem`)];
    openssl('req', ...EC_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', csr);
    writeFileSync(at(`${name}.ext`), `subjectAltName=${alternative}\n`);
    const dates = ['-startdate', certificateTime(from), '-enddate', certificateTime(to)];
    const files = ['-config', at('ca.conf'), '-extfile', at(`${name}.ext`), '-in', csr, '-out', pem];
    openssl('ca', '-batch', '-notext', ...dates, ...files);
    return { certFile: pem, keyFile: key, cert: readFileSync(pem), key: readFileSync(key) };
  };
  return {
    caFile: at('ca.pem'),
    ca: readFileSync(at('ca.pem')),
    good: issue('good', 'IP:127.0.0.1', -1, 2),
    expired: issue('expired', 'IP:127.0.0.1', -3, -1),
    wrongHost: issue('other', 'DNS:other.example', -1, 2),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** `openssl ca` takes dates in the past; `x509 -days` refuses them from OpenSSL 3.5 on. */
function issuing(dir: string): string {
  return [
    '[ca]',
    'default_ca = hospital',
    '[hospital]',
    `database = ${join(dir, 'ca.index')}`,
    `new_certs_dir = ${dir}`,
    `certificate = ${join(dir, 'ca.pem')}`,
    `private_key = ${join(dir, 'ca.key')}`,
    'rand_serial = yes',
    'default_md = sha256',
    'policy = any',
    '[any]',
    'commonName = supplied',
    '',
  ].join('\n');
}

/** GeneralizedTime (RFC 5280 section 4.1.2.5.2) of so many days from now. */
function certificateTime(days: number): string {
  const time = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${time.slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
