import { type CsvError, type Info, parse } from 'csv-parse/sync';
import { posix } from 'node:path';
import { HilumError } from '../base/errors';

/** One row of the labels file. */
export interface LabelledFilm {
  /** As written in the labels file: relative to the folder of films. */
  readonly file: string;
  readonly positive: boolean;
  /** Null where there is no such column or the cell is empty. */
  readonly patient: string | null;
  /** Further columns by heading. */
  readonly groups: Readonly<Record<string, string>>;
  /** Line number in the labels file, from 1. */
  readonly line: number;
}

export interface Labels {
  readonly films: readonly LabelledFilm[];
  /** Rows that can't be used, by line. */
  readonly problems: readonly { readonly line: number; readonly text: string }[];
  readonly positive: string;
  readonly negative: string;
  /** The positive value was not named, but guessed from its spelling. */
  readonly guessed: boolean;
  readonly hasPatients: boolean;
  readonly groupColumns: readonly string[];
}

const DELIMITERS = [',', ';', '\t'] as const;
/** Spellings of a positive label, in lower case. */
const POSITIVE_WORDS = new Set(['covid', 'covid-19', 'covid19', 'positive', 'pos', '+', '1', 'yes', 'y', 'true']);

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/**
 * Reads a labels file: CSV with a heading; comma, semicolon or tab; UTF-8 with or without a byte order mark, UTF-16 or
 * Windows-1252, as spreadsheets write them.
 * @param positive the label of the finding; guessed where it is not given
 * @throws HilumError LABELS_INVALID when the file as a whole can't be used; single bad rows are in `problems`
 */
export function readLabels(bytes: Uint8Array, positive?: string): Labels {
  const [heading, ...rows] = readRows(decode(bytes));
  if (heading === undefined) throw invalid('the file is empty');
  const names = heading.cells.map((name) => name.toLowerCase());
  const at = (name: string) => names.indexOf(name);
  for (const name of ['file', 'label'])
    if (at(name) < 0)
      throw invalid(
        `there is no column "${name}"; its columns are ${heading.cells.map((cell) => `"${cell}"`).join(', ')}`,
      );
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid(`there are two columns "${twice}"`);
  const { good, problems } = sortOut(rows, heading.cells.length, at('file'), at('label'));
  const values = twoValues(
    good.map(({ cells }) => cells[at('label')]!),
    positive,
  );
  const groupColumns = heading.cells.filter(
    (name, i) => name !== '' && !['file', 'label', 'patient'].includes(names[i]!),
  );
  const films = good.map(({ cells, line }): LabelledFilm => ({
    file: cells[at('file')]!,
    positive: cells[at('label')] === values.positive,
    patient: at('patient') < 0 ? null : cells[at('patient')] || null,
    groups: Object.fromEntries(groupColumns.map((name) => [name, cells[heading.cells.indexOf(name)]!])),
    line,
  }));
  return { films, problems, ...values, hasPatients: films.some(({ patient }) => patient !== null), groupColumns };
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/**
 * The delimiter is the one that splits the heading into the known columns, as cells may contain commas and semicolons.
 */
function readRows(text: string): Row[] {
  const found = DELIMITERS.find((delimiter) => headingBy(text, delimiter).includes('file')) ?? ',';
  try {
    const rows = parse(text, { ...OPTIONS, delimiter: found, info: true }) as unknown as {
      record: string[];
      info: Info;
    }[];
    return rows.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    const { lines, message } = error as CsvError & { lines?: number };
    throw invalid(`line ${lines ?? 'unknown'}: ${message}`, error);
  }
}

const OPTIONS = { bom: true, trim: true, relax_column_count: true, skip_empty_lines: true } as const;

function headingBy(text: string, delimiter: string): string[] {
  try {
    const [heading = []] = parse(text, { ...OPTIONS, delimiter, to: 1 });
    return heading.map((name) => name.toLowerCase());
  } catch {
    return [];
  }
}

function sortOut(
  rows: readonly Row[],
  width: number,
  file: number,
  label: number,
): { good: Row[]; problems: { line: number; text: string }[] } {
  const problems: { line: number; text: string }[] = [];
  const good = new Map<string, Row>();
  const contradicted = new Set<string>();
  for (const row of rows) {
    const { cells, line } = row;
    const name = cells[file] ?? '';
    const key = samePath(name);
    const first = good.get(key);
    if (cells.length !== width) problems.push({ line, text: `${cells.length} columns where the heading has ${width}` });
    else if (name === '') problems.push({ line, text: 'no file' });
    else if (cells[label] === '') problems.push({ line, text: 'no label' });
    else if (first === undefined) good.set(key, row);
    else if (first.cells[label] === cells[label])
      problems.push({ line, text: `the same file as in line ${first.line}, left out` });
    else {
      problems.push({ line, text: `the same file as in line ${first.line} with another label: both are left out` });
      contradicted.add(key);
    }
  }
  return { good: [...good].filter(([key]) => !contradicted.has(key)).map(([, row]) => row), problems };
}

/**
 * Normalised path, as a film that is listed under two spellings (such as Windows' backslashes) must not count twice.
 */
function samePath(file: string): string {
  return posix.normalize(file.replaceAll('\\', '/'));
}

function twoValues(
  labels: readonly string[],
  wanted: string | undefined,
): Pick<Labels, 'positive' | 'negative' | 'guessed'> {
  const values = [...new Set(labels)].sort();
  const told = values
    .slice(0, 12)
    .map((value) => `"${value}" (${labels.filter((label) => label === value).length})`)
    .join(', ');
  if (values.length !== 2) throw invalid(`the labels must have two values; they have ${values.length}: ${told}`);
  const matching = values.filter((value) =>
    wanted === undefined ? POSITIVE_WORDS.has(value.toLowerCase()) : value === wanted.trim(),
  );
  if (matching.length !== 1)
    throw invalid(
      wanted === undefined
        ? `it can't be guessed which of the labels ${told} is the finding: name it with --positive VALUE`
        : `--positive ${wanted} is none of the labels ${told}`,
    );
  const [positive] = matching as [string];
  return { positive, negative: values.find((value) => value !== positive)!, guessed: wanted === undefined };
}

function invalid(message: string, cause?: unknown): HilumError {
  return new HilumError('LABELS_INVALID', 'permanent', `labels file: ${message}`, { cause });
}
