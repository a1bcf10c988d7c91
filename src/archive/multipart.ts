import { HilumError } from '../base/errors';

/** One body part: its headers with names in lower case, and its bytes. */
export interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface MultipartLimits {
  /** Largest body of one part (bytes). */
  readonly maxBodyBytes: number;
  /** Largest headers of one part, and largest preamble (bytes). */
  readonly maxHeaderBytes?: number;
  readonly maxParts?: number;
  /** Memory that the first body is written into as it arrives, if it fits. */
  readonly memory?: Uint8Array | undefined;
}

const CRLF = Buffer.from('\r\n');
const CR = 0x0d;
const LF = 0x0a;
/**
 * Linear white space allowed between a boundary and its line end (RFC 2046 section 5.1.1); with more, it is no
 * delimiter here.
 */
const MAX_PADDING = 64;
/** Longer than any possible delimiter: "\r\n--", a boundary, padding, a line end. */
const SEAM_BYTES = 512;

/**
 * The boundary of a multipart Content-Type, quoted or not (RFC 2046 section 5.1.1).
 * @throws HilumError ARCHIVE_RESPONSE_INVALID when there is none or it is longer than 70 characters
 */
export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  if (!/^[^\r\n]{1,70}$/.test(boundary)) throw invalid('its Content-Type names no usable boundary');
  return boundary;
}

/**
 * Reads a multipart body as it arrives; nothing beyond the limits is kept.
 * @throws HilumError ARCHIVE_RESPONSE_INVALID (transient) when it is malformed or ends before its closing delimiter;
 * DICOM_UNREADABLE (permanent) when a part is larger than `maxBodyBytes`
 */
export async function readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string,
  limits: MultipartLimits,
): Promise<Part[]> {
  const parser = new MultipartParser(boundaryOf(contentType), limits);
  for await (const chunk of chunks) parser.push(chunk);
  return parser.end();
}

/**
 * Builds a multipart body for STOW-RS (PS3.18 section 8.6.1.2). The boundary must not occur in the parts: use a random
 * one.
 */
export function writeMultipart(
  parts: readonly { readonly contentType: string; readonly body: Uint8Array }[],
  boundary: string,
): Buffer {
  const pieces = parts.flatMap(({ contentType, body }) => [
    Buffer.from(`--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`),
    body,
    CRLF,
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

type State = 'preamble' | 'delimiter' | 'headers' | 'body' | 'done';

/** The state machine behind {@link readMultipart}; a class because it is fed piece by piece. */
export class MultipartParser {
  /** Without the CR that belongs before it (RFC 2046 section 5.1.1): some servers end lines with LF alone. */
  private readonly delimiter: Buffer;
  private readonly maxHeaderBytes: number;
  private readonly maxParts: number;
  private state: State = 'preamble';
  /** Which part a possible delimiter interrupts; that part goes on if it proves to be none. */
  private before: 'preamble' | 'body' = 'preamble';
  /** A possible delimiter that is not confirmed yet, with its CR unless that belongs to the body. */
  private doubtful: Buffer = Buffer.alloc(0);
  /** Whether the first delimiter's line ended with LF alone: then a CR before a delimiter belongs to the body. */
  private hasBareLines: boolean | undefined;
  /**
   * Starts with a line end, so that the first delimiter is found like all others (RFC 2046: CRLF belongs to the
   * delimiter).
   */
  private pending: Buffer = CRLF;
  private preambleBytes = 0;
  private headers: ReadonlyMap<string, string> = new Map();
  private pieces: Uint8Array[] = [];
  private memory: Uint8Array | undefined;
  private bodyBytes = 0;
  private readonly parts: Part[] = [];

  constructor(
    boundary: string,
    private readonly limits: MultipartLimits,
  ) {
    this.memory = limits.memory;
    this.delimiter = Buffer.from(`\n--${boundary}`, 'latin1');
    this.maxHeaderBytes = limits.maxHeaderBytes ?? 16 * 1024;
    this.maxParts = limits.maxParts ?? 16;
  }

  /** Of a large chunk only the beginning is copied, to join it to the pending bytes; the rest is parsed in place. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const seam = bytes.subarray(0, SEAM_BYTES);
    this.look(Buffer.concat([this.pending, seam]));
    const rest = bytes.subarray(seam.length);
    if (rest.length === 0) return;
    const { length } = this.pending;
    const isOfPiece = length <= seam.length;
    this.look(isOfPiece ? bytes.subarray(seam.length - length) : Buffer.concat([this.pending, rest]));
  }

  private look(bytes: Buffer): void {
    this.pending = bytes;
    while (this.step());
  }

  end(): Part[] {
    if (this.state !== 'done')
      throw invalid(`it ended before its closing delimiter, after ${this.parts.length} part(s)`);
    return this.parts;
  }

  /** Whether the pending bytes may hold more to parse. */
  private step(): boolean {
    switch (this.state) {
      case 'preamble':
      case 'body':
        return this.toDelimiter(this.state);
      case 'delimiter':
        return this.afterDelimiter();
      case 'headers':
        return this.readHeaders();
      case 'done':
        this.pending = Buffer.alloc(0);
        return false;
    }
  }

  private toDelimiter(state: 'preamble' | 'body'): boolean {
    const { pending, delimiter } = this;
    const at = pending.indexOf(delimiter);
    // The possible beginning of a delimiter, with its CR, stays pending until more bytes arrive.
    const found = at >= 0 ? at : Math.max(0, pending.length - delimiter.length);
    const end = at > 0 && pending[at - 1] === CR && this.hasBareLines !== true ? at - 1 : found;
    this.keep(pending.subarray(0, end));
    this.pending = pending.subarray(at >= 0 ? at + delimiter.length : end);
    if (at < 0) return false;
    this.doubtful = pending.subarray(end, at + delimiter.length);
    this.before = state;
    this.state = 'delimiter';
    return true;
  }

  private keep(bytes: Buffer): void {
    if (this.state === 'preamble') {
      this.preambleBytes += bytes.length;
      if (this.preambleBytes > this.maxHeaderBytes) throw invalid('no delimiter was found near its start');
      return;
    }
    this.bodyBytes += bytes.length;
    if (this.bodyBytes > this.limits.maxBodyBytes) throw tooLarge(this.limits.maxBodyBytes);
    if (bytes.length === 0) return;
    if (this.memory === undefined) this.pieces.push(bytes);
    else if (this.bodyBytes <= this.memory.length) this.memory.set(bytes, this.bodyBytes - bytes.length);
    else {
      this.pieces.push(this.memory.subarray(0, this.bodyBytes - bytes.length), bytes);
      this.memory = undefined;
    }
  }

  private afterDelimiter(): boolean {
    if (this.pending.length < 2) return false;
    if (this.pending[0] === 0x2d && this.pending[1] === 0x2d) return this.finishPart('done');
    const padding = paddingLength(this.pending);
    const [first, second] = this.pending.subarray(padding, padding + 2);
    if (padding > MAX_PADDING) return this.notADelimiter();
    if (first === undefined || (first === CR && second === undefined)) return false;
    if (first !== LF && !(first === CR && second === LF)) return this.notADelimiter();
    this.hasBareLines ??= first === LF;
    // The line end stays pending, so that a part without headers also ends them at an empty line.
    this.pending = this.pending.subarray(padding);
    return this.finishPart('headers');
  }

  private notADelimiter(): boolean {
    this.state = this.before;
    this.keep(this.doubtful);
    return true;
  }

  private finishPart(next: State): boolean {
    if (this.before === 'body') {
      const { memory, bodyBytes } = this;
      const body = memory
        ? Buffer.from(memory.buffer, memory.byteOffset, bodyBytes)
        : Buffer.concat(this.pieces, bodyBytes);
      this.parts.push({ headers: this.headers, body });
      this.memory = undefined;
      if (next !== 'done' && this.parts.length >= this.maxParts)
        throw invalid(`it has more than ${this.maxParts} parts`);
    }
    this.pieces = [];
    this.bodyBytes = 0;
    this.state = next;
    return true;
  }

  private readHeaders(): boolean {
    const [at, end] = emptyLine(this.pending);
    if (at > this.maxHeaderBytes || (at < 0 && this.pending.length > this.maxHeaderBytes))
      throw invalid(`a part has headers of more than ${this.maxHeaderBytes} bytes`);
    if (at < 0) return false;
    this.headers = parseHeaders(this.pending.toString('latin1', 0, at));
    this.pending = this.pending.subarray(end);
    this.state = 'body';
    return true;
  }
}

/**
 * Where the first empty line begins, with the line end before it, and where it ends; [-1, -1] where there is none yet.
 */
function emptyLine(bytes: Buffer): readonly [at: number, end: number] {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return [at, at + 2];
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return [at, at + 3];
  }
  return [-1, -1];
}

function paddingLength(bytes: Buffer): number {
  let n = 0;
  while (n < bytes.length && n <= MAX_PADDING && (bytes[n] === 0x20 || bytes[n] === 0x09)) n++;
  return n;
}

function parseHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function invalid(what: string): HilumError {
  return new HilumError(
    'ARCHIVE_RESPONSE_INVALID',
    'transient',
    `the archive's multipart answer is malformed: ${what}`,
  );
}

function tooLarge(limit: number): HilumError {
  return new HilumError(
    'DICOM_UNREADABLE',
    'permanent',
    `the archive sent an object larger than archive.maxObjectBytes (${limit} bytes)`,
  );
}
