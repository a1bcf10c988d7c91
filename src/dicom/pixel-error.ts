import { HilumError } from '../base/errors';

/** Why pixel data give no film: they can't be decoded, or they show nothing. */
export type PixelFault = 'undecodable' | 'blank-image' | 'multi-frame';

/** `message` is one sentence for a radiologist, without data about the patient. */
export class PixelError extends HilumError {
  constructor(
    readonly fault: PixelFault,
    message: string,
    options?: { cause?: unknown },
  ) {
    super('PIXELS_UNDECODABLE', 'permanent', message, options);
    this.name = 'PixelError';
  }
}

export function undecodable(message: string, cause?: unknown): PixelError {
  return new PixelError('undecodable', message, { cause });
}
