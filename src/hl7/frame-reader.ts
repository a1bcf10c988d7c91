import { CR, END, START } from './frames';

/** The bytes between a start block and an end block. */
export interface Frame {
  /** Without start and end block; only the beginning where it is too long. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

const LF = 0x0a;
/** A new start block inside of a frame: the sender gave up and began anew. */
const NEW_BEGINNING = Buffer.from('\x0bMSH', 'latin1');

/**
 * Extracts frames from a stream (HL7 v2.5.1 appendix C.4). Time and memory are proportional to what is received, and
 * memory is limited to `maxBytes` for a frame. A frame ends with the end block, with or without a carriage return; line
 * ends between frames are skipped. A frame whose sender began anew before the end block is dropped: it was not
 * acknowledged.
 */
export class FrameReader {
  /** Doubled as needed: a list of small chunks would take many times their length. */
  private kept = Buffer.alloc(0);
  private length = 0;
  private isInside = false;
  private hasFailed = false;

  constructor(private readonly maxBytes: number) {}

  /** Whether a frame has begun and not ended. */
  get isOpen(): boolean {
    return this.isInside;
  }

  /** Whether bytes outside of any frame were received: the connection can't be used any more. */
  get isBroken(): boolean {
    return this.hasFailed;
  }

  /** The frames that end in this chunk, before any bytes outside of one. */
  take(received: Buffer): Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at < received.length && !this.hasFailed;) {
      if (!this.isInside) {
        this.begin(received[at]);
        at += 1;
        continue;
      }
      const end = received.indexOf(END, at);
      this.keep(received.subarray(at, end < 0 ? received.length : end));
      if (end < 0) return frames;
      frames.push(this.whole());
      at = end + 1;
    }
    return frames;
  }

  /** Takes a start block or a line end. */
  private begin(byte: number | undefined): void {
    if (byte === START) this.isInside = true;
    else if (byte !== CR && byte !== LF) this.hasFailed = true;
  }

  private keep(piece: Buffer): void {
    const end = Math.min(this.length + piece.length, this.maxBytes);
    if (end > this.kept.length) {
      const grown = Buffer.alloc(Math.min(Math.max(end, 2 * this.kept.length), this.maxBytes));
      this.kept.copy(grown, 0, 0, this.length);
      this.kept = grown;
    }
    if (this.length < end) piece.copy(this.kept, this.length, 0, end - this.length);
    this.length += piece.length;
  }

  private whole(): Frame {
    const content = this.kept.subarray(0, Math.min(this.length, this.maxBytes));
    const isTooLong = this.length > this.maxBytes;
    [this.kept, this.length, this.isInside] = [Buffer.alloc(0), 0, false];
    const again = content.lastIndexOf(NEW_BEGINNING);
    return { bytes: again < 0 ? content : content.subarray(again + 1), isTooLong };
  }
}
