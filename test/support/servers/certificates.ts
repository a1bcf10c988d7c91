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
  openssl(
    'req',
    '-x509',
    ...EC_KEY,
    '-days',
    '2',
    '-subj',
    '/CN=Hospital authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  const issue = (name: string, alternative: string, days: number) => {
    openssl('req', ...EC_KEY, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    writeFileSync(at(`${name}.ext`), `subjectAltName=${alternative}\n`);
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      String(days),
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    );
    return {
      certFile: at(`${name}.pem`),
      keyFile: at(`${name}.key`),
      cert: readFileSync(at(`${name}.pem`)),
      key: readFileSync(at(`${name}.key`)),
    };
  };
  return {
    caFile: at('ca.pem'),
    ca: readFileSync(at('ca.pem')),
    good: issue('good', 'IP:127.0.0.1', 2),
    expired: issue('expired', 'IP:127.0.0.1', -1),
    wrongHost: issue('other', 'DNS:other.example', 2),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
