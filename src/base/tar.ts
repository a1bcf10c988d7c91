import type { FileHandle } from 'node:fs/promises';

/**
 * The part of the tar format (POSIX.1-1988, ustar) that backups need: plain files one after the other, which any `tar`
 * lists and unpacks. Sizes from 8 GiB on are written in base 256, as GNU tar does.
 */

const BLOCK = 512;
/** Largest size that eleven octal digits can state. */
const MAX_OCTAL = 0o77777777777;
const CHECKSUM_AT = 148;

/** Name, position and size of an entry's content in the file (bytes). */
export interface TarEntry {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}

/** Zeros that pad a content of `size` bytes to whole blocks. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Ends an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** Header of an entry. @param name up to 100 ASCII characters */
export function tarHeader(name: string, size: number, modified: Date): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, 'ascii');
  header.write(octal(0o600, 7), 100, 'ascii');
  header.write(octal(0, 7), 108, 'ascii');
  header.write(octal(0, 7), 116, 'ascii');
  writeSize(header, size);
  header.write(octal(Math.floor(modified.getTime() / 1000), 11), 136, 'ascii');
  header.write('0', 156, 'ascii');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${octal(checksumOf(header), 6)}\u0000 `, CHECKSUM_AT, 'latin1');
  return header;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

function writeSize(header: Buffer, size: number): void {
  if (size <= MAX_OCTAL) return void header.write(octal(size, 11), 124, 'ascii');
  header.writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(size), 128);
}

/** Sum of all header bytes, those of the checksum itself counted as blanks. */
function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= CHECKSUM_AT && at < CHECKSUM_AT + 8 ? 0x20 : byte), 0);
}

/** Entries of an archive. @throws RangeError where it is no tar file or is cut off */
export async function tarEntries(file: FileHandle): Promise<TarEntry[]> {
  const { size: length } = await file.stat();
  const entries: TarEntry[] = [];
  for (let at = 0; ;) {
    const header = Buffer.alloc(BLOCK);
    const { bytesRead } = await file.read(header, 0, BLOCK, at);
    if (bytesRead < BLOCK) throw new RangeError('cut off');
    if (header.every((byte) => byte === 0)) return entries;
    const entry = { name: textAt(header, 0, 100), start: at + BLOCK, size: sizeIn(header) };
    if (checksumOf(header) !== parseInt(textAt(header, CHECKSUM_AT, 8), 8)) throw new RangeError('no tar');
    at = entry.start + entry.size + tarPadding(entry.size).length;
    if (at > length) throw new RangeError('cut off');
    entries.push(entry);
  }
}

function textAt(header: Buffer, start: number, length: number): string {
  return header.toString('latin1', start, start + length).replace(/\0.*$/s, '');
}

function sizeIn(header: Buffer): number {
  if (header.readUInt8(124) === 0x80) return Number(header.readBigUInt64BE(128));
  const size = parseInt(textAt(header, 124, 12), 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('no tar');
  return size;
}
