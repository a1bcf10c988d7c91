import { decodeText } from '../dicom/charset';

/** Field separator and encoding characters of a message (MSH-1, MSH-2; HL7 v2.5.1 section 2.5.4). */
export interface Separators {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  /** Escape character; '' where the message has none and nothing is escaped. */
  readonly escape: string;
  /** '' where the message has none. */
  readonly subcomponent: string;
}

/** The text is no HL7 v2 message; the sentence quotes nothing of it. */
export class Hl7SyntaxError extends Error {}

/** A received message. Never log it. */
export interface Hl7Message {
  readonly header: Segment;
  /** In order, MSH first. */
  readonly segments: readonly Segment[];
}

/** A segment. Fields are numbered as in the Standard, from 1; a missing one is ''. */
export class Segment {
  private fields: readonly string[] | null = null;

  constructor(
    readonly line: string,
    private readonly by: Separators,
    private readonly sets: readonly string[],
  ) {}

  get name(): string {
    return this.line.slice(0, 3);
  }

  /** Field as sent, with separators and escape sequences. */
  raw(field: number): string {
    this.fields ??= this.line.split(this.by.field, MAX_FIELDS);
    // MSH-1 is the field separator itself.
    if (this.name === 'MSH') return field === 1 ? this.by.field : (this.fields[field - 1] ?? '');
    return this.fields[field] ?? '';
  }

  /** First subcomponent of a component of the first repetition; '""' where the sender deletes the value. */
  text(field: number, component = 1, subcomponent = 1): string {
    const [first] = this.repetitions(field);
    return first?.(component, subcomponent) ?? '';
  }

  /** Each repetition, as a function that returns its components, without NUL, which PostgreSQL can't store. */
  repetitions(field: number): ((component: number, subcomponent?: number) => string)[] {
    const raw = this.raw(field);
    if (raw === '') return [];
    return raw.split(this.by.repetition, MAX_PARTS).map((repetition) => {
      const components = repetition.split(this.by.component, MAX_PARTS);
      return (component, subcomponent = 1) => {
        const whole = components[component - 1] ?? '';
        const parts = this.by.subcomponent === '' ? [whole] : whole.split(this.by.subcomponent, MAX_PARTS);
        return unescaped(parts[subcomponent - 1] ?? '', this.by, this.sets)
          .replaceAll('\0', '')
          .trim();
      };
    });
  }
}

/** Limits on segments, fields and parts, far beyond real messages, so that long ones take little memory. */
const [MAX_SEGMENTS, MAX_FIELDS, MAX_PARTS] = [50_000, 500, 100];

/** Line ends of segments, as some senders write them. */
const LINE_ENDS = /[\r\n]+/;
const BOM = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Reads a message (HL7 v2.5.1 chapter 2), with the separators of its MSH, in the character set of MSH-18.
 * @param defaultSet character set of messages without MSH-18; '': UTF-8 if valid, else ISO 8859-1
 * @throws Hl7SyntaxError
 */
export function readMessage(bytes: Buffer, defaultSet = ''): Hl7Message {
  const content = bytes.subarray(0, BOM.length).equals(BOM) ? bytes.subarray(BOM.length) : bytes;
  // Separators and names of character sets are ASCII, whatever the character set.
  const head = content.toString('latin1', 0, endOfFirstLine(content));
  const by = separatorsOf(head);
  const named = new Segment(head, by, []).repetitions(18).flatMap((set) => (set(1) === '' ? [] : [set(1)]));
  const sets = (named.length === 0 ? [defaultSet] : named).map(characterSet);
  const lines = decodeText(content, sets).split(LINE_ENDS, MAX_SEGMENTS + 1);
  if (lines.length > MAX_SEGMENTS) throw new Hl7SyntaxError(`the message has more than ${MAX_SEGMENTS} segments`);
  const segments = lines.filter((line) => line.trim() !== '').map((line) => new Segment(line, by, sets));
  return { header: segments[0]!, segments };
}

function endOfFirstLine(content: Buffer): number {
  const ends = [content.indexOf(0x0d), content.indexOf(0x0a)].filter((at) => at >= 0);
  return ends.length === 0 ? content.length : Math.min(...ends);
}

function separatorsOf(head: string): Separators {
  if (/^[FB]HS/.test(head)) throw new Hl7SyntaxError('batches are not taken');
  if (!head.startsWith('MSH')) throw new Hl7SyntaxError('the message does not begin with MSH');
  const field = head.charAt(3);
  const [component = '', repetition = '', escape = '', subcomponent = ''] = (head.slice(4).split(field)[0] ?? '').split(
    '',
  );
  const used = [field, component, repetition, escape, subcomponent].filter((character) => character !== '');
  const isUsable = used.every((character) => /[^A-Za-z0-9\s\p{Cc}]/u.test(character));
  if (component === '' || repetition === '' || !isUsable || new Set(used).size < used.length)
    throw new Hl7SyntaxError('MSH-1 and MSH-2 name no usable separators');
  return { field, component, repetition, escape, subcomponent };
}

/** Names of character sets in table 0211 mapped to those of `dicom/charset`; others are the same there. */
const SETS: Readonly<Record<string, string>> = {
  // As without a set: many senders name it whatever they send.
  ASCII: 'ISO_IR 6',
  'GB 18030-2000': 'GB18030',
  'KS X 1001': 'euc-kr',
  'BIG-5': 'big5',
  'CNS 11643-1992': 'big5',
  'ISO IR14': 'ISO_IR 13',
  'ISO IR87': 'ISO 2022 IR 87',
  'ISO IR159': 'ISO 2022 IR 159',
  UNICODE: 'ISO_IR 192',
};

function characterSet(name: string): string {
  return SETS[name.trim().toUpperCase()] ?? name;
}

const DELIMITERS: Readonly<Record<string, keyof Separators>> = {
  F: 'field',
  S: 'component',
  T: 'subcomponent',
  R: 'repetition',
  E: 'escape',
};

/**
 * Resolves escape sequences (section 2.7). Anything that is no escape sequence of the Standard stays, as some senders
 * do not escape.
 */
function unescaped(text: string, by: Separators, sets: readonly string[]): string {
  if (by.escape === '' || !text.includes(by.escape)) return text;
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const start = text.indexOf(by.escape, at);
    const end = start < 0 ? -1 : text.indexOf(by.escape, start + 1);
    if (end < 0) {
      pieces.push(text.slice(at));
      break;
    }
    const meant = sequence(text.slice(start + 1, end), by, sets);
    pieces.push(text.slice(at, start), meant ?? by.escape);
    at = meant === null ? start + 1 : end + 1;
  }
  return pieces.join('');
}

/** Text of an escape sequence; null where it is none. */
function sequence(code: string, by: Separators, sets: readonly string[]): string | null {
  const delimiter = DELIMITERS[code];
  if (delimiter !== undefined) return by[delimiter];
  const hex = /^X((?:[0-9A-Fa-f]{2})+)$/.exec(code)?.[1];
  if (hex !== undefined) return decodeText(Buffer.from(hex, 'hex'), sets);
  if (/^\.(br|sp\d*)$/.test(code)) return '\n';
  // Highlighting, formatting, changes of the character set and local sequences have no text.
  return /^([HN]|\.[a-z]{2}[+-]?\d*|C[0-9A-F]{4}|M[0-9A-F]{4,6}|Z[0-9A-Z]+)$/.test(code) ? '' : null;
}
