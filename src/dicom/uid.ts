import { createHash } from 'node:crypto';

/**
 * A DICOM UID that has passed {@link parseUid}: at most 64 characters, numbers separated by dots. PS3.5 section 9.1
 * allows no component with a leading zero and none alone, but archives hold objects with both. They are taken as they
 * are and never mended: a result that is to lie in the study of its film must name that very study.
 */
export type Uid = string & { readonly __brand: 'Uid' };

export const UID_FORM = /^\d+(\.\d+)*$/;
/** Characters. */
export const MAX_UID_LENGTH = 64;

/** Without the padding that archives leave at the end of a UID: NUL by PS3.5 section 9.1, space by mistake. */
export const unpadded = (text: string): string => text.replace(/[\0 ]+$/, '');

/** @throws RangeError when the text is no UID. Trailing NUL or space padding is taken off first. */
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

/** Namespace of all names that are hashed into UIDs. Never change it: it would store every result a second time. */
const NAMESPACE = Buffer.from('7b0ad7a1a4d14c0c9a52c9f3c0f5d3e1', 'hex');

/**
 * A UID that is the same whenever `parts` are the same: "2.25." and a name-based UUID (RFC 4122 version 5) as a decimal
 * (PS3.5 section B.2). Everything that changes the content of an object belongs into `parts`; then what exists already
 * is recognised and never sent twice.
 */
export function deriveUid(parts: readonly (string | number | boolean)[]): Uid {
  const digest = createHash('sha1').update(NAMESPACE).update(JSON.stringify(parts)).digest().subarray(0, 16);
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${digest.toString('hex')}`)}` as Uid;
}
