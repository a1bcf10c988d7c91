/**
 * Text of a Specific Character Set as JavaScript strings (PS3.3 section C.12.1.1.2, PS3.5 section 6.1). Not left to
 * dcmjs: it takes the first of several sets only, so that Japanese and Korean names with code extensions end as escape
 * sequences, and it reads all text inside sequences as Latin-1.
 */

/**
 * WHATWG encoding by ISO registration number. Node's decoders for the Latin sets are supersets: nothing valid is read
 * differently.
 */
const ENCODINGS: Readonly<Record<string, string>> = {
  '6': 'windows-1252',
  '13': 'shift_jis',
  '58': 'gbk',
  '87': 'iso-2022-jp',
  '100': 'windows-1252',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '126': 'iso-8859-7',
  '127': 'iso-8859-6',
  '138': 'iso-8859-8',
  '144': 'iso-8859-5',
  '148': 'windows-1254',
  '149': 'euc-kr',
  '159': 'iso-2022-jp',
  '166': 'windows-874',
  '192': 'utf-8',
  '203': 'iso-8859-15',
};

/** ISO registration numbers of the character sets that are read; docs/conformance.md lists them. */
export const REGISTRATIONS: readonly string[] = Object.keys(ENCODINGS);

/**
 * What an escape sequence (without ESC) switches to: an encoding of G1, or one of the double-byte sets that sit in G0.
 * PS3.3 tables C.12-3 and C.12-4.
 */
const ESCAPES: readonly (readonly [sequence: string, g0: 'ascii' | 'jis208' | 'jis212', g1?: string])[] = [
  ['(B', 'ascii'],
  ['(J', 'ascii'],
  [')I', 'ascii', 'shift_jis'],
  ['-A', 'ascii', 'windows-1252'],
  ['-B', 'ascii', 'iso-8859-2'],
  ['-C', 'ascii', 'iso-8859-3'],
  ['-D', 'ascii', 'iso-8859-4'],
  ['-F', 'ascii', 'iso-8859-7'],
  ['-G', 'ascii', 'iso-8859-6'],
  ['-H', 'ascii', 'iso-8859-8'],
  ['-L', 'ascii', 'iso-8859-5'],
  ['-M', 'ascii', 'windows-1254'],
  ['-T', 'ascii', 'windows-874'],
  ['-b', 'ascii', 'iso-8859-15'],
  ['$)C', 'ascii', 'euc-kr'],
  ['$)A', 'ascii', 'gbk'],
  ['$B', 'jis208'],
  ['$@', 'jis208'],
  ['$(D', 'jis212'],
];

const ESC = 0x1b;
const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

function decodeAs(encoding: string, bytes: Uint8Array): string {
  const known = decoders.get(encoding) ?? new TextDecoder(encoding);
  decoders.set(encoding, known);
  return known.decode(bytes);
}

/**
 * Unknown or missing sets count as Latin-1: that is what files without the attribute hold in practice, and ASCII, the
 * default, is a part of it.
 */
function encodingOf(definedTerm: string | undefined): string {
  const term = (definedTerm ?? '').trim().toUpperCase();
  if (term === 'GB18030' || term === 'GBK') return term.toLowerCase();
  const number = /^ISO[_ ](?:2022[_ ])?IR[_ ](\d+)$/.exec(term)?.[1];
  return ENCODINGS[number ?? ''] ?? 'windows-1252';
}

/** @param sets values of Specific Character Set (0008,0005), in order */
export function decodeText(bytes: Uint8Array, sets: readonly string[]): string {
  const initial = encodingOf(sets[0]);
  const extended = bytes.includes(ESC) && initial !== 'utf-8' && !initial.startsWith('gb18030');
  return extended ? decodeExtended(bytes, initial) : decodeAs(initial, bytes);
}

/** ISO 2022 as DICOM uses it: runs of one set between escape sequences. */
function decodeExtended(bytes: Uint8Array, initial: string): string {
  let [g0, g1] = ['ascii', initial === 'iso-2022-jp' ? 'windows-1252' : initial];
  let text = '';
  for (let start = 0; start < bytes.length;) {
    const escape = bytes[start] === ESC ? escapeAt(bytes, start + 1) : undefined;
    if (escape) [g0, g1] = [escape[1], escape[2] ?? g1];
    const from = start + (escape ? 1 + escape[0].length : 0);
    const next = bytes.indexOf(ESC, Math.max(from, start + 1));
    const end = next < 0 ? bytes.length : next;
    text += decodeRun(bytes.subarray(from, end), g0, g1);
    start = end;
  }
  return text;
}

function escapeAt(bytes: Uint8Array, offset: number) {
  return ESCAPES.find(([sequence]) =>
    Array.from(sequence).every((char, index) => bytes[offset + index] === char.charCodeAt(0)),
  );
}

function decodeRun(run: Uint8Array, g0: string, g1: string): string {
  if (g0 === 'jis208') return decodeAs('iso-2022-jp', Uint8Array.of(ESC, 0x24, 0x42, ...run, ESC, 0x28, 0x42));
  // JIS X 0212 is no part of the WHATWG iso-2022-jp, but of its euc-jp: 0x8F and both bytes with the high bit set.
  if (g0 === 'jis212')
    return decodeAs(
      'euc-jp',
      Uint8Array.from(
        Array.from(run).flatMap((byte, index) => (index % 2 === 0 ? [0x8f, byte | 0x80] : [byte | 0x80])),
      ),
    );
  return decodeAs(g1, run);
}
