import { CR, END, START } from './frames';

/** What was between a start block and an end block. */
export interface Frame {
  /** Without its marks; of one that is too long its beginning. */
  readonly bytes: Buffer;
  readonly isTooLong: boolean;
}

/** What is no frame was received. The connection has no order any more that one could go on with. */
export class FrameError extends Error {}

const LF = 0x0a;
/** A frame that was begun anew before it ended. */
const NEW_BEGINNING = Buffer.from('\x0bMSH', 'latin1');

/**
 * Takes frames from what is received piece by piece (HL7 v2.5.1 appendix C.4), in time and memory that grow with what
 * is received and no further than `maxBytes` for a frame. The end block ends a frame, with or without a carriage return
 * behind it; line ends between frames are passed over. A frame whose end block never came, because its sender gave up
 * and began anew, is left away: it was not acknowledged.
 */
export class FrameReader {
  /** Grown by doubling: pieces that are kept as they came would cost many times their length. */
  private kept = Buffer.alloc(0);
  private length = 0;
  private isInside = false;

  constructor(private readonly maxBytes: number) {}

  /** Whether a frame has begun and not ended. */
  get isOpen(): boolean {
    return this.isInside;
  }

  /** The frames that end in this piece. @throws FrameError for what is outside of any */
  take(received: Buffer): Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at < received.length;) {
      if (!this.isInside) {
        at = this.begin(received, at);
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

  /** Where to go on: behind a start block or a line end. */
  private begin(received: Buffer, at: number): number {
    const byte = received[at];
    if (byte === START) this.isInside = true;
    else if (byte !== CR && byte !== LF) throw new FrameError('what was received is no MLLP frame');
    return at + 1;
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
