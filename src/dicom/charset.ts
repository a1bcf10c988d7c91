/**
 * Decoding text by Specific Character Set (PS3.3 section C.12.1.1.2, PS3.5 section 6.1). dcmjs is not used: it takes
 * only the first of several sets, so that Japanese and Korean names with code extensions keep their escape sequences,
 * and it reads text inside sequences as Latin-1.
 */

/**
 * WHATWG encoding by ISO registration number. Node's decoders for the Latin sets are supersets, so that valid text is
 * read alike.
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

/** ISO registration numbers of the character sets that can be read; docs/conformance.md lists them. */
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

/** Stands for an unknown encoding; it is no label of WHATWG's. */
const UNKNOWN = 'unknown';

function decodeAs(encoding: string, bytes: Uint8Array): string {
  if (encoding === UNKNOWN) return utf8(bytes) ?? asciiOnly(bytes);
  const known = decoders.get(encoding) ?? new TextDecoder(encoding);
  decoders.set(encoding, known);
  return known.decode(bytes);
}

const strict = new TextDecoder('utf-8', { fatal: true });
/** Undefined where the bytes are no valid UTF-8: text in another encoding hardly ever is. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function asciiOnly(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\ufffd')).join('');
}

/** Labels of 16-bit encodings, which do not contain ASCII, and of labels that name no character set. */
const UNFIT_LABEL = /^(utf-16|replacement|x-user-defined)/;

/**
 * Encoding of a defined term, also of a misspelt one: other case, other or no separators (`ISO-IR 192`, `iso_ir100`),
 * the number of an ISO 8859 part, or a label of the WHATWG Encoding Standard (`UTF8`, `latin1`, `windows-1251`).
 * Undefined where it is unknown.
 */
function encodingOf(definedTerm: string): string | undefined {
  const label = definedTerm.trim().toLowerCase();
  const term = label.replace(/[^a-z0-9]/g, '');
  const registered = ENCODINGS[/^(?:iso)?(?:2022)?ir0*(\d+)$/.exec(term)?.[1] ?? ''];
  if (registered !== undefined) return registered;
  if (/utf0?8$/.test(term)) return 'utf-8';
  const part = /^(?:iso)?8859p?(\d{1,2})$/.exec(term)?.[1];
  const labels = [...(part === undefined ? [] : [`iso-8859-${part}`]), label, label.replace(/[_ ]/g, '-'), term];
  return labels.map(encodingOfLabel).find((encoding) => encoding !== undefined);
}

function encodingOfLabel(label: string): string | undefined {
  try {
    const { encoding } = new TextDecoder(label);
    return UNFIT_LABEL.test(encoding) ? undefined : encoding;
  } catch {
    return undefined;
  }
}

/** Encodings by term, as a film has hundreds of texts. Bounded, because a file may hold any term. */
const encodings = new Map<string, string>();
const MAX_KNOWN = 100;

/** A missing set is read as Latin-1: in practice such files hold Latin-1 or UTF-8. */
function encodingFor(term: string): string {
  const found = encodings.get(term) ?? (term.trim() === '' ? 'windows-1252' : (encodingOf(term) ?? UNKNOWN));
  if (encodings.size < MAX_KNOWN) encodings.set(term, found);
  return found;
}

/** Whether Specific Character Set (0008,0005) has an unknown value. */
export function isUnknownSet(sets: readonly string[]): boolean {
  return sets.some((term) => encodingFor(term) === UNKNOWN);
}

/** Whether all values of Specific Character Set are spelt as PS3.3 section C.12.1.1.2 has them. */
export function areDefinedTerms(sets: readonly string[]): boolean {
  return sets.every((term) => {
    const number = /^(?:ISO_IR|ISO 2022 IR) (\d+)$/.exec(term)?.[1];
    return number === undefined ? ['', 'GB18030', 'GBK'].includes(term) : ENCODINGS[number] !== undefined;
  });
}

/** UTF-8 allows no code extensions, but is met beside other sets, or without being named. */
function mayBeUtf8(sets: readonly string[], initial: string): boolean {
  const isAscii = /^(ISO.?IR.?6)?$/i.test((sets[0] ?? '').trim());
  return initial !== 'utf-8' && (isAscii || sets.some((term) => encodingFor(term) === 'utf-8'));
}

/**
 * Decodes text. Where no set is known: UTF-8 if it is valid, else each byte beyond ASCII becomes U+FFFD, so that no
 * text turns into another one.
 * @param sets values of Specific Character Set (0008,0005), in order
 */
export function decodeText(bytes: Uint8Array, sets: readonly string[]): string {
  const initial = encodingFor(sets[0] ?? '');
  const hasEscape = bytes.includes(ESC);
  if (!hasEscape && mayBeUtf8(sets, initial)) return utf8(bytes) ?? decodeAs(initial, bytes);
  const extended = hasEscape && initial !== 'utf-8' && !initial.startsWith('gb18030');
  return extended ? decodeExtended(bytes, initial) : decodeAs(initial, bytes);
}

/** ISO 2022 as DICOM uses it: runs in one set, separated by escape sequences. */
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
  // JIS X 0212 is not part of WHATWG's iso-2022-jp, but of its euc-jp: 0x8F and both bytes with the high bit set.
  if (g0 === 'jis212')
    return decodeAs(
      'euc-jp',
      Uint8Array.from(
        Array.from(run).flatMap((byte, index) => (index % 2 === 0 ? [0x8f, byte | 0x80] : [byte | 0x80])),
      ),
    );
  return decodeAs(g1, run);
}
