/**
 * Damage to DICOM files, drawn from a seeded generator: plain bytes, and what a reader believes (lengths, VRs, image
 * attributes, fragments, codestreams).
 */
import { deflateRawSync } from 'node:zlib';

/** Mulberry32: numbers of 32 bits, the same for the same seed on every machine. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  };
  const below = (limit) => next() % Math.max(1, limit);
  return { below, one: (list) => list[below(list.length)] };
}

const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const EDGES_16 = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff];
const EDGES_32 = [0, 1, 2, 8, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const VRS = [
  'OB',
  'OW',
  'SQ',
  'UN',
  'US',
  'SS',
  'UL',
  'FD',
  'DS',
  'IS',
  'UI',
  'PN',
  'LO',
  'UT',
  'AT',
  'XX',
  'zz',
  '\0\0',
  '--',
  '??',
  '  ',
];
const TEXTS = [
  '',
  'NaN',
  '1e308',
  '-1e308',
  'Infinity',
  '0',
  '-0',
  '1e-320',
  '0x10',
  '1\\2\\3',
  '\\\\\\\\',
  '1.'.padEnd(900, '2.3'),
  'MONOCHROME1',
  'PALETTE COLOR',
  'YBR_FULL_422',
  'RGB',
  'SIGMOID',
  '\u0000',
  '\xff\xfe\x1b$B',
];

/** Elements of the top level that can be found without believing much: Explicit VR Little Endian. */
function elementsOf(file) {
  const found = [];
  let offset = file.subarray(128, 132).toString('latin1') === 'DICM' ? 132 : 0;
  while (offset + 8 <= file.length && found.length < 500) {
    const vr = file.toString('latin1', offset + 4, offset + 6);
    if (!/^[A-Z]{2}$/.test(vr)) break;
    const long = LONG.has(vr);
    if (long && offset + 12 > file.length) break;
    const length = long ? file.readUInt32LE(offset + 8) : file.readUInt16LE(offset + 6);
    const start = offset + (long ? 12 : 8);
    const tag = file.readUInt16LE(offset) * 0x10000 + file.readUInt16LE(offset + 2);
    found.push({ tag, vr, long, offset, start, length });
    if (length === 0xffffffff || start + length > file.length) break;
    offset = start + length;
  }
  return found;
}

const isImage = ({ tag }) => tag >>> 16 === 0x0028;
const splice = (file, start, end, ...parts) =>
  Buffer.concat([file.subarray(0, start), ...parts, file.subarray(Math.min(end, file.length))]);

function element(group, number, vr, value) {
  const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (LONG.has(vr)) head.writeUInt32LE(value.length, 8);
  else head.writeUInt16LE(value.length & 0xffff, 6);
  return Buffer.concat([head, value]);
}

/** Replaces an element, or puts one in where it belongs. */
function put(file, made) {
  const tag = made.readUInt16LE(0) * 0x10000 + made.readUInt16LE(2);
  const all = elementsOf(file);
  const same = all.find((one) => one.tag === tag);
  if (same) return splice(file, same.offset, same.start + same.length, made);
  const behind = all.find((one) => one.tag > tag && one.tag >>> 16 !== 2);
  return behind ? splice(file, behind.offset, behind.offset, made) : file;
}

const text = (value) => Buffer.from(value.length % 2 ? `${value} ` : value, 'latin1');
const words = (...values) => Buffer.from(Uint16Array.from(values).buffer);

function flipBit(bytes, below) {
  const at = below(bytes.length);
  bytes[at] = bytes[at] ^ (1 << below(8));
}

/** Each takes a Buffer and gives a new one. */
const MUTATIONS = {
  flipBytes(file, { below }) {
    const out = Buffer.from(file);
    for (let count = 1 + below(8); count > 0; count--) flipBit(out, below);
    return out;
  },
  setHeaderBytes(file, { below }) {
    const out = Buffer.from(file);
    for (let count = 1 + below(4); count > 0; count--) out[132 + below(Math.min(out.length - 132, 1200))] = below(256);
    return out;
  },
  truncate: (file, { below }) => file.subarray(0, below(file.length)),
  cutOut(file, { below }) {
    const start = below(file.length);
    return splice(file, start, start + 1 + below(200));
  },
  double(file, { below }) {
    const start = below(file.length);
    return splice(file, start, start, file.subarray(start, start + 1 + below(300)));
  },
  lengthLies(file, { one }) {
    const at = one(elementsOf(file));
    if (!at) return file;
    const out = Buffer.from(file);
    if (at.long)
      out.writeUInt32LE(
        one([...EDGES_32, at.length + 1, at.length - 1, at.length * 2].map((value) => value >>> 0)),
        at.offset + 8,
      );
    else out.writeUInt16LE(one([...EDGES_16, (at.length + 1) & 0xffff, (at.length - 1) & 0xffff]), at.offset + 6);
    return out;
  },
  wrongVr(file, { one }) {
    const at = one(elementsOf(file));
    if (!at) return file;
    const out = Buffer.from(file);
    out.write(one(VRS), at.offset + 4, 'latin1');
    return out;
  },
  noVr(file, { one }) {
    const at = one(elementsOf(file));
    if (!at || at.length === 0xffffffff) return file;
    const head = Buffer.from(file.subarray(at.offset, at.offset + 8));
    head.writeUInt32LE(at.length, 4);
    return splice(file, at.offset, at.start, head);
  },
  sequenceForm(file, { one, below }) {
    const code = element(0x0008, 0x0104, one(['LO', '??', '\0\0']), text('MEANING'));
    const item = (length) =>
      Buffer.concat([Buffer.from('feff00e0', 'hex'), Buffer.from(Uint32Array.of(length).buffer), code]);
    const ends = ['', 'feff0de000000000', 'feffdde000000000', 'feff0de000000000feffdde000000000', 'feff00e000000000'];
    const lengths = [code.length, code.length - 2, code.length + 2, 0xffffffff, 0];
    const content = Buffer.concat([
      ...Array.from({ length: 1 + below(3) }, () => item(one(lengths))),
      Buffer.from(one(ends), 'hex'),
    ]);
    const made = element(0x0008, 0x2218, one(['SQ', 'UN', 'OB', 'LO', '??']), content);
    if (LONG.has(made.toString('latin1', 4, 6)) && below(2))
      made.writeUInt32LE(one([...EDGES_32, content.length + 2]), 8);
    return putRaw(file, made);
  },
  otherEncoding(file, { one }) {
    const implicit = elementsOf(file)
      .filter(({ tag, length }) => tag >>> 16 !== 2 && length !== 0xffffffff)
      .map(({ offset, start, length }) => {
        const head = Buffer.from(file.subarray(offset, offset + 8));
        head.writeUInt32LE(length, 4);
        return Buffer.concat([head, file.subarray(start, start + length)]);
      });
    const meta = elementsOf(file)
      .filter(({ tag }) => tag >>> 16 === 2)
      .at(-1);
    return meta
      ? Buffer.concat([file.subarray(0, meta.start + meta.length), ...implicit.slice(one([0, 0, 0, 1, 2]))])
      : file;
  },
  imageAttribute(file, { one }) {
    const at = one(elementsOf(file).filter((found) => isImage(found) && found.length >= 2));
    if (!at) return file;
    const out = Buffer.from(file);
    if (at.vr === 'US' || at.vr === 'SS') out.writeUInt16LE(one(EDGES_16), at.start);
    else
      return splice(
        file,
        at.offset,
        at.start + at.length,
        element(at.tag >>> 16, at.tag & 0xffff, LONG.has(at.vr) ? 'LO' : at.vr, text(one(TEXTS))),
      );
    return out;
  },
  dropElement(file, { one }) {
    const at = one(elementsOf(file));
    return at && at.length < 0xffff ? splice(file, at.offset, at.start + at.length) : file;
  },
  display: (file, random) =>
    put(
      file,
      element(
        0x0028,
        random.one([0x1050, 0x1051, 0x1052, 0x1053, 0x1056, 0x0120, 0x0121, 0x0008, 0x0004]),
        random.one(['DS', 'LO', 'US', 'FD', 'CS']),
        random.one([
          text(random.one(TEXTS)),
          words(random.one(EDGES_16)),
          Buffer.from(Float64Array.of(NaN).buffer),
          Buffer.from(Float64Array.of(1e300).buffer),
        ]),
      ),
    ),
  lookUpTable(file, { one, below }) {
    const content = Buffer.concat([
      element(
        0x0028,
        0x3002,
        one(['US', 'SS', 'FD', 'DS']),
        one([words(one(EDGES_16), one(EDGES_16), one(EDGES_16)), text('4\\0.5\\16'), words(1)]),
      ),
      element(0x0028, 0x3006, one(['US', 'OW', 'OB', 'UN']), Buffer.alloc(2 * below(300), below(256))),
    ]);
    const item = Buffer.concat([
      Buffer.from('feff00e0', 'hex'),
      Buffer.from(Uint32Array.of(content.length).buffer),
      content,
    ]);
    return put(file, element(0x0028, one([0x3000, 0x3010]), 'SQ', item));
  },
  palette(file, { one, below }) {
    const colours = [1, 2, 3].flatMap((colour) => [
      element(0x0028, 0x1100 + colour, 'US', words(one(EDGES_16), one(EDGES_16), one([0, 8, 16, 255]))),
      element(0x0028, 0x1200 + colour, 'OW', Buffer.alloc(2 * below(600), below(256))),
    ]);
    return [element(0x0028, 0x0004, 'CS', text('PALETTE COLOR')), ...colours].reduce(put, file);
  },
  uid: (file, { one }) =>
    put(
      file,
      element(
        0x0008,
        one([0x0016, 0x0018]),
        'UI',
        text(
          one([
            '',
            '1.2.'.repeat(30) + '1',
            '1..2',
            '01.2',
            '1.2.3'.padEnd(63, '4'),
            'x',
            '2.25.340282366920938463463374607431768211456',
          ]),
        ),
      ),
    ),
  syntax(file, { one }) {
    const at = elementsOf(file).find(({ tag }) => tag === 0x00020010);
    const suffix = one([
      '',
      '.1',
      '.1.99',
      '.2',
      '.5',
      ...['50', '51', '57', '70', '80', '81', '90', '91', '100', '201', '202', '203'].map((end) => `.4.${end}`),
    ]);
    const uid = `1.2.840.10008.1.2${suffix}`;
    return at
      ? splice(
          file,
          at.offset,
          at.start + at.length,
          element(0x0002, 0x0010, 'UI', Buffer.from(uid.length % 2 ? `${uid}\0` : uid, 'latin1')),
        )
      : file;
  },
  deepSequence(file, { one, below }) {
    const open = Buffer.concat([
      Buffer.from('08001822', 'hex'),
      Buffer.from('SQ\0\0'),
      Buffer.from('ffffffff', 'hex'),
      Buffer.from('feff00e0ffffffff', 'hex'),
    ]);
    const close = Buffer.from('feff0de000000000feffdde000000000', 'hex');
    const depth = one([1, 31, 32, 33, 40, 2000, 20_000]);
    return putRaw(
      file,
      Buffer.concat([...Array(depth).fill(open), ...Array(below(2) ? depth : depth >> 1).fill(close)]),
    );
  },
  deflate(file, { one, below }) {
    const meta = elementsOf(file)
      .filter(({ tag }) => tag >>> 16 === 2)
      .at(-1);
    if (!meta) return file;
    const start = meta.start + meta.length;
    const filler = one([
      Buffer.alloc(0),
      Buffer.alloc(3_000_000),
      Buffer.alloc(4_000_000, element(0x0020, 0x0013, 'IS', Buffer.alloc(0))),
      Buffer.alloc(4_000_000, Buffer.from('feff00e000000000', 'hex')),
    ]);
    const packed = deflateRawSync(
      Buffer.concat([file.subarray(start), element(0x0008, 0x2218, one(['SQ', 'OB']), filler)]),
    );
    if (below(3) === 0 && packed.length > 0) flipBit(packed, below);
    return MUTATIONS.syntax(Buffer.concat([file.subarray(0, start), packed]), { one: () => '.1.99' });
  },
  fragments(file, { one, below }) {
    const pixels = fragmentsOf(file);
    if (!pixels) return file;
    const parts = [...pixels.parts];
    const at = below(parts.length);
    const part = parts[at] ?? Buffer.alloc(0);
    const change = one(['drop', 'double', 'truncate', 'swap', 'split', 'table', 'empty']);
    if (change === 'drop') parts.splice(at, 1);
    else if (change === 'double') parts.splice(at, 0, part);
    else if (change === 'truncate') parts[at] = part.subarray(0, below(part.length) & ~1);
    else if (change === 'swap') parts.reverse();
    else if (change === 'split')
      parts.splice(at, 1, part.subarray(0, (part.length >> 2) * 2), part.subarray((part.length >> 2) * 2));
    else if (change === 'table') parts[0] = Buffer.from(Uint32Array.of(one(EDGES_32), one(EDGES_32)).buffer);
    else parts.splice(at, 0, ...Array(one([1, 100, 5000])).fill(Buffer.alloc(0)));
    return splice(
      file,
      pixels.start,
      pixels.end,
      ...parts.flatMap((part) => [
        Buffer.from('feff00e0', 'hex'),
        Buffer.from(Uint32Array.of(part.length).buffer),
        part,
      ]),
    );
  },
  codestream(file, { one, below }) {
    const pixels = fragmentsOf(file);
    const longest = pixels?.places.reduce((most, place) => (place.length > most.length ? place : most));
    if (!longest || longest.length < 4) return file;
    const out = Buffer.from(file);
    const near = Math.min(longest.length - 4, one([20, 120, 600, longest.length]));
    for (let count = 1 + below(4); count > 0; count--) {
      const at = longest.start + below(near);
      const change = below(4);
      if (change === 0) out[at] = below(256);
      else if (change === 1) out.writeUInt16BE(one(EDGES_16), at);
      else if (change === 2) out.writeUInt32BE(one(EDGES_32), at);
      else
        out.writeUInt16BE(
          one([
            0xffd8, 0xffd9, 0xffda, 0xffc0, 0xffc1, 0xffc3, 0xffc4, 0xffdb, 0xff4f, 0xff51, 0xff52, 0xff5c, 0xff90,
            0xff93, 0xff50, 0xfff7,
          ]),
          at,
        );
    }
    return out;
  },
};

function putRaw(file, bytes) {
  const behind = elementsOf(file).find(({ tag }) => tag > 0x00082218);
  return behind ? splice(file, behind.offset, behind.offset, bytes) : file;
}

/** Items of encapsulated pixel data, the Basic Offset Table first. */
function fragmentsOf(file) {
  const pixels = elementsOf(file).find(({ tag, length }) => tag === 0x7fe00010 && length === 0xffffffff);
  if (!pixels) return undefined;
  /** @type {Buffer[]} */
  const parts = [];
  /** @type {{start: number, length: number}[]} */
  const places = [];
  let offset = pixels.start;
  while (offset + 8 <= file.length && file.readUInt32LE(offset) === 0xe000fffe) {
    const length = file.readUInt32LE(offset + 4);
    if (offset + 8 + length > file.length) break;
    parts.push(file.subarray(offset + 8, offset + 8 + length));
    places.push({ start: offset + 8, length });
    offset += 8 + length;
  }
  return parts.length > 0 ? { start: pixels.start, end: offset, parts, places } : undefined;
}

const NAMES = Object.keys(MUTATIONS);

/** One to three kinds of damage. @returns {{bytes: Buffer, how: string}} */
export function mutate(file, random) {
  const kinds = Array.from({ length: random.one([1, 1, 1, 2, 3]) }, () => random.one(NAMES));
  return {
    bytes: kinds.reduce((bytes, kind) => (bytes.length > 140 ? MUTATIONS[kind](bytes, random) : bytes), file),
    how: kinds.join('+'),
  };
}
