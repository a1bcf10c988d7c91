import { readFileSync } from 'node:fs';
import { HilumError } from '../base/errors';

/** Paths of PEM files, as in the configuration. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** False accepts any certificate: for trials only. */
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized: boolean;
}

/** @throws HilumError CONFIG_INVALID that names the unreadable file */
export function readTls(files: TlsFiles | undefined): TlsMaterial {
  const { caFile, certFile, keyFile, rejectUnauthorized = true } = files ?? {};
  return {
    rejectUnauthorized,
    ...(caFile === undefined ? {} : { ca: read(caFile) }),
    ...(certFile === undefined ? {} : { cert: read(certFile) }),
    ...(keyFile === undefined ? {} : { key: read(keyFile) }),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HilumError('CONFIG_INVALID', 'permanent', `the TLS file ${path} can't be read`, { cause });
  }
}
