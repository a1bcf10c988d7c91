/** Graphics over a whole image: one bit for each of its pixels, stored in Overlay Data. */
export interface OverlayPlane {
  /** Group, even, 0x6000 to 0x601e (PS3.5 section 7.6). */
  readonly group: number;
  readonly rows: number;
  readonly columns: number;
  /** LO, ASCII, as is the description. */
  readonly label: string;
  readonly description: string;
  /** Bits in the order of PS3.5 section 8.1.2, of even length. */
  readonly bits: Uint8Array;
}

/** Length of the bits of a plane (bytes): whole words of 16 bits. */
export function overlayLength({ rows, columns }: Pick<OverlayPlane, 'rows' | 'columns'>): number {
  return 2 * Math.ceil((rows * columns) / 16);
}

/**
 * Overlay Plane (PS3.3 section C.9.2) as elements in Explicit VR Little Endian. Not by dcmjs, which writes each keyword
 * of the repeating group under one tag and copies the bits several times.
 */
export function encodeOverlay({ group, rows, columns, label, description, bits }: OverlayPlane): Uint8Array {
  const element = (number: number, vr: string, value: Buffer) => {
    const isLong = vr === 'OW';
    const header = Buffer.alloc(isLong ? 12 : 8);
    header.writeUInt16LE(group, 0);
    header.writeUInt16LE(number, 2);
    header.write(vr, 4, 'latin1');
    if (isLong) header.writeUInt32LE(value.length, 8);
    else header.writeUInt16LE(value.length, 6);
    return [header, value];
  };
  return Buffer.concat([
    ...element(0x0010, 'US', words(rows)),
    ...element(0x0011, 'US', words(columns)),
    ...element(0x0022, 'LO', padded(description)),
    ...element(0x0040, 'CS', padded('G')),
    ...element(0x0050, 'SS', words(1, 1)),
    ...element(0x0100, 'US', words(1)),
    ...element(0x0102, 'US', words(0)),
    ...element(0x1500, 'LO', padded(label)),
    ...element(0x3000, 'OW', Buffer.from(bits.buffer, bits.byteOffset, bits.length)),
  ]);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function padded(text: string): Buffer {
  return Buffer.from(text.length % 2 === 0 ? text : `${text} `, 'latin1');
}
