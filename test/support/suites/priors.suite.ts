import {
  CompiledQuery,
  type Kysely,
  type KyselyPlugin,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type RootOperationNode,
  sql,
} from 'kysely';
import { deriveUid } from '../../../src/dicom/uid';
import type { StudyRecord } from '../../../src/sinks/record';
import type { Database } from '../../../src/worklist/database';
import { findPriors } from '../../../src/worklist/priors';
import type { Schema } from '../../../src/worklist/schema';
import { Worklist } from '../../../src/worklist/worklist';
import { filmRecord, studyRecord } from '../records/study-record';
import { NO_SUMMARY } from '../records/study-summary';

const uid = (name: string) => deriveUid(['study', name]);

/** The statements that are asked, as they are before a database has its words. */
class Statements implements KyselyPlugin {
  readonly nodes: RootOperationNode[] = [];
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    this.nodes.push(node);
    return node;
  }
  transformResult({ result }: PluginTransformResultArgs) {
    return Promise.resolve(result);
  }
}

/** The same tests for each database: `open` gives an empty one for each test. */
export function priorTests(open: () => Promise<Database>): void {
  let database: Database;
  let list: Worklist;

  beforeEach(async () => {
    database = await open();
    list = new Worklist(database);
  });
  afterEach(() => database.close());

  const put = (name: string, StudyDate: string, patient: Partial<StudyRecord['patient']> = {}) => {
    const record = studyRecord(name, { films: [filmRecord(name)] });
    return list.record({
      ...record,
      patient: { ...record.patient, PatientID: 'P-1', ...patient },
      study: { ...record.study, StudyDate },
    });
  };
  const priors = async (name: string, limit = 20) =>
    (await list.priors(uid(name), limit)).map(({ row }) => row.studyInstanceUid);

  test('earlier studies of the same Patient ID and issuer, the newest first, undated ones last', async () => {
    await put('now', '20260301');
    await put('older', '20240101');
    await put('newer', '20250101');
    await put('undated', '');
    await put('later', '20260302');
    await put('another patient', '20250101', { PatientID: 'P-2' });
    await put('another issuer', '20250101', { IssuerOfPatientID: 'OTHER' });
    expect(await priors('now')).toEqual([uid('newer'), uid('older'), uid('undated')]);
    expect(await priors('now', 2)).toEqual([uid('newer'), uid('older')]);
    expect(await priors('another issuer')).toEqual([]);
    expect(await priors('older')).toEqual([uid('undated')]);
  });

  test('an issuer is part of the identity on both sides, and its padding is not', async () => {
    await put('now', '20260301', { IssuerOfPatientID: 'NORTH' });
    await put('same', '20250101', { IssuerOfPatientID: 'NORTH ' });
    await put('south', '20250101', { IssuerOfPatientID: 'SOUTH' });
    await put('unsaid', '20250101', { IssuerOfPatientID: '' });
    expect(await priors('now')).toEqual([uid('same')]);
  });

  test('none where nobody can tell whose study it is: no Patient ID, no result yet, no such study', async () => {
    await put('nobody', '20260301', { PatientID: '' });
    await put('nobody else', '20250101', { PatientID: '' });
    await put('known', '20250101');
    await list.advance(uid('waiting'), { kind: 'waiting', priority: null }, 1, {
      mayHaveFilms: true,
      summary: { ...NO_SUMMARY, PatientID: 'P-1', StudyDate: '20260301' },
    });
    expect(await priors('nobody')).toEqual([]);
    expect(await priors('waiting')).toEqual([]);
    expect(await priors('unheard of')).toEqual([]);
  });

  test('an identifier that two issuers gave out often hides nobody', async () => {
    await put('now', '20260301', { IssuerOfPatientID: 'NORTH' });
    for (let i = 0; i < 60; i++) await put(`south ${i}`, '20250601', { IssuerOfPatientID: 'SOUTH' });
    await put('north', '20250101', { IssuerOfPatientID: 'NORTH' });
    expect(await priors('now')).toEqual([uid('north')]);
  });

  test('they follow a patient that the archive corrects', async () => {
    await put('now', '20260301');
    await put('wrong', '20250101');
    const { patient, study, order } = studyRecord('wrong');
    await list.correct(uid('wrong'), {
      of: 'film',
      attributes: { patient: { ...patient, PatientID: 'P-2' }, study: { ...study, StudyDate: '20250101' }, order },
    });
    expect(await priors('now')).toEqual([]);
  });

  test('they are found by an index, however many studies there are', async () => {
    await put('now', '20260301');
    await put('older', '20240101');
    const plans = await database.read((db) => explained(db, database.kind));
    expect(plans).toMatch(/study_patient/);
    expect(plans).not.toMatch(/SCAN study\b|Seq Scan on study\b/);
  });

  /** PostgreSQL reads a table of two rows whole: it is told not to. */
  async function explained(db: Kysely<Schema>, kind: Database['kind']): Promise<string> {
    const statements = new Statements();
    await findPriors(db.withPlugin(statements), uid('now'), 20);
    const lines: string[] = [];
    const explain = async (own: Kysely<Schema>) => {
      for (const node of statements.nodes) {
        const compiled = own.getExecutor().compileQuery(node, { queryId: 'explained' });
        const text = `${kind === 'sqlite' ? 'explain query plan' : 'explain'} ${compiled.sql}`;
        const { rows } = await own.executeQuery(CompiledQuery.raw(text, [...compiled.parameters]));
        lines.push(...rows.map((row) => String(Object.values(row as object).at(-1))));
      }
    };
    if (kind === 'sqlite') await explain(db);
    else
      await db.transaction().execute(async (transaction) => {
        await sql`set local enable_seqscan = off`.execute(transaction);
        await explain(transaction);
      });
    return lines.join('\n');
  }
}
