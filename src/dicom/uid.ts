import { createHash } from 'node:crypto';

/**
 * A DICOM UID that has passed {@link parseUid}: at most 64 characters, numbers separated by dots. PS3.5 section 9.1
 * forbids leading zeros in a component and a UID of one component, but archives hold both, and they are accepted
 * unchanged: a result must name the very study of its film.
 */
export type Uid = string & { readonly __brand: 'Uid' };

export const UID_FORM = /^\d+(\.\d+)*$/;
/** In characters. */
export const MAX_UID_LENGTH = 64;

/** Without trailing padding: NUL by PS3.5 section 9.1, space by mistake. */
export const unpadded = (text: string): string => text.replace(/[\0 ]+$/, '');

/** @throws RangeError where the text is no UID. Trailing NUL or space padding is removed first. */
export function parseUid(text: unknown): Uid {
  const uid = tryParseUid(text);
  if (uid === undefined)
    throw new RangeError(
      `not a DICOM UID: ${(JSON.stringify(text) as string | undefined)?.slice(0, 80) ?? 'undefined'}`,
    );
  return uid;
}

export function tryParseUid(text: unknown): Uid | undefined {
  if (typeof text !== 'string') return undefined;
  const uid = unpadded(text);
  return uid.length <= MAX_UID_LENGTH && UID_FORM.test(uid) ? (uid as Uid) : undefined;
}

/** Namespace of the names that are hashed into UIDs. Never change it: every result would be stored a second time. */
const NAMESPACE = Buffer.from('7b0ad7a1a4d14c0c9a52c9f3c0f5d3e1', 'hex');

/**
 * Derives a UID that is the same whenever `parts` are the same: "2.25." and a name-based UUID (RFC 4122 version 5) as a
 * decimal (PS3.5 section B.2). Everything that changes the content of an object has to be in `parts`, so that an
 * existing object is recognised and not stored twice.
 */
export function deriveUid(parts: readonly (string | number | boolean)[]): Uid {
  const digest = createHash('sha1').update(NAMESPACE).update(JSON.stringify(parts)).digest().subarray(0, 16);
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${digest.toString('hex')}`)}` as Uid;
}
