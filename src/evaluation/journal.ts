import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_MODE } from '../base/atomic-file';
import type { FilmResult } from '../events/result-event';
import type { AnalysisIdentity } from '../objects/analysis';
import type { Facts } from './header-facts';
import type { FileKind } from './picture';

/**
 * What came of one film: a line of the journal. Labels are not in it, so that a label may be mended without computing
 * anything anew.
 */
export interface FilmRecord extends Pick<FilmResult, 'outcome' | 'reason' | 'reasonText' | 'view' | 'lungFraction'> {
  /** Probability of each finding, by its label; none where the film was not analysed. */
  readonly probabilities: Readonly<Record<string, number>>;
  readonly file: string;
  /** Size and date of the file: where they differ, `sha256` decides whether it is analysed anew. */
  readonly bytes: number;
  readonly modified: number;
  /** Of the file: the same film may lie there under two names. */
  readonly sha256: string;
  readonly kind: FileKind;
  /**
   * Digest of the Patient ID where the header has one: films of one patient belong together, and no more need be known.
   */
  readonly patient: string | null;
  readonly facts: Facts;
}

/** Raise it when a line's content changes: what was computed before is then computed anew. */
const JOURNAL_VERSION = 3;

interface Heading {
  readonly type: 'hilum-evaluation';
  readonly version: number;
  readonly analysis: string;
  readonly softwareVersion: string;
  readonly models: AnalysisIdentity['models'];
}

/** All that a probability follows from besides the film; the operating point does not belong to it. */
export function analysisDigest({
  softwareVersion,
  models,
}: Pick<AnalysisIdentity, 'softwareVersion' | 'models'>): string {
  const parts = [JOURNAL_VERSION, softwareVersion, ...models.map(({ id, version, sha256 }) => [id, version, sha256])];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * One JSON line for each film, in a file named after the digest of models and version, so that nothing computed
 * otherwise is mixed in. Killed at any time, at most the line being written is lost.
 */
export class Journal {
  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    readonly known: ReadonlyMap<string, FilmRecord>,
  ) {}

  static async open(dir: string, identity: AnalysisIdentity): Promise<Journal> {
    await mkdir(dir, { recursive: true });
    const analysis = analysisDigest(identity);
    const path = join(dir, `films-${analysis.slice(0, 12)}.jsonl`);
    const text = await readFile(path, 'utf8').catch(ifMissing);
    const heading: Heading = {
      type: 'hilum-evaluation',
      version: JOURNAL_VERSION,
      analysis,
      softwareVersion: identity.softwareVersion,
      models: identity.models,
    };
    // A line without its end was cut off by a kill. Its film is analysed again, behind it, so only its rest must go.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole.split('\n').filter(Boolean);
    const isOurs = first !== undefined && (parse(first) as Partial<Heading> | undefined)?.analysis === analysis;
    const file = await open(path, 'a', PRIVATE_MODE);
    await file.truncate(isOurs ? Buffer.byteLength(whole) : 0);
    if (!isOurs) await file.write(`${JSON.stringify(heading)}\n`);
    const records = isOurs ? lines.flatMap((line) => (parse(line) as FilmRecord | undefined) ?? []) : [];
    return new Journal(file, path, new Map(records.map((record) => [record.file, record])));
  }

  async add(record: FilmRecord): Promise<void> {
    await this.file.write(`${JSON.stringify(record)}\n`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
