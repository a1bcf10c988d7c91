import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveUid } from '../../../src/dicom/uid';
import { openDatabase } from '../../../src/worklist/database';
import { Worklist } from '../../../src/worklist/worklist';
import { detailView } from '../../../src/web/api/detail-view';
import { covid } from '../../support/records/finding';
import { recordingLog } from '../../support/records/logs';
import { filmRecord, studyRecord } from '../../support/records/study-record';

const dir = mkdtempSync(join(tmpdir(), 'hilum-detail-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const uid = (name: string) => deriveUid(['test', name]);
const report = (name: string) => ({
  sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34' as ReturnType<typeof uid>,
  seriesInstanceUid: uid('series'),
  sopInstanceUid: uid(name),
});

test('the history of a study says in words which result took the place of which', async () => {
  const database = openDatabase(`file:${join(dir, 'replaced.db')}`, recordingLog());
  const list = new Worklist(database);
  try {
    await list.record(studyRecord('a', { films: [filmRecord('a', { outputs: [report('r1')] })] }));
    await list.record(
      studyRecord('a', {
        key: uid('new'),
        films: [filmRecord('a', { outputs: [report('r2')], supersedes: [uid('r1')] })],
      }),
    );
    const detail = (await list.study(studyRecord('a').studyInstanceUid))!;
    const view = detailView(detail, { patients: true }, []);
    expect(view!.history.map(({ text }) => text)).toEqual([
      'result of 1 film(s) stored, unverified, at or above the operating point',
      `result of 1 film(s) stored, unverified, at or above the operating point; replaces the result of the earlier report(s) ${uid('r1')}`,
    ]);
  } finally {
    await database.close();
  }
});

test('a withdrawn result: the history says why, and the film that the earlier result is no longer valid', async () => {
  const database = openDatabase(`file:${join(dir, 'withdrawn.db')}`, recordingLog());
  const list = new Worklist(database);
  try {
    await list.record(studyRecord('a', { films: [filmRecord('a', { outputs: [report('r1')] })] }));
    await list.record(
      studyRecord('a', {
        key: uid('withdrawal'),
        priority: null,
        films: [
          filmRecord('a', {
            outcome: 'not-analysed',
            reason: 'incorrect-worklist-entry',
            probability: null,
            findings: [],
            outputs: [report('r2')],
            supersedes: [uid('r1')],
          }),
        ],
      }),
    );
    const view = detailView((await list.study(studyRecord('a').studyInstanceUid))!, { patients: true }, [])!;
    expect(view.history.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(
        /stored, unverified; replaces .*; withdrawn, because .* rejected: incorrect-worklist-entry$/,
      ),
    );
    expect(view.films[0]!.remarks[0]).toMatch(/^WITHDRAWN: /);
  } finally {
    await database.close();
  }
});

test('where all findings are in shadow neither row nor film has a result or a heat map, and both say why', async () => {
  const database = openDatabase(`file:${join(dir, 'in-shadow.db')}`, recordingLog());
  const list = new Worklist(database);
  try {
    const lateral = filmRecord('lateral', {
      outcome: 'not-analysed',
      reason: 'lateral-view',
      reasonText: 'the film looks like a lateral view; only frontal films are analysed',
      probability: null,
    });
    const inShadow = filmRecord('a', { probability: null, findings: [covid(0.93, { mode: 'shadow' })] });
    await list.record(studyRecord('a', { priority: null, films: [lateral, inShadow] }));
    const { row, films } = detailView((await list.study(studyRecord('a').studyInstanceUid))!, { patients: true }, [])!;
    expect(row).toMatchObject({ state: 'done', result: null, inShadow: true, leadFilm: { heatMap: null } });
    expect(row.leadFilm!.picture).toContain(inShadow.sopInstanceUid);
    expect(row.findings.map(({ mode }) => mode)).toEqual(['shadow']);
    expect(films[1]).toMatchObject({ result: null, finding: null, inShadow: true, heatMap: null, reason: null });
    expect(films[0]).toMatchObject({ result: null, inShadow: false });
  } finally {
    await database.close();
  }
});

test('the history says which attributes were corrected, and never what they were or are', async () => {
  const database = openDatabase(`file:${join(dir, 'corrected.db')}`, recordingLog());
  const list = new Worklist(database);
  try {
    const record = studyRecord('a');
    await list.record(record);
    const patient = { ...record.patient, PatientID: 'RIGHT', PatientName: 'Right^Rita' };
    await list.correct(record.studyInstanceUid, { of: 'film', attributes: { ...record, patient } });
    const detail = (await list.study(record.studyInstanceUid))!;
    for (const patients of [true, false])
      expect(detailView(detail, { patients }, [])!.history.at(-1)!.text).toBe(
        'corrected in the archive: PatientID, PatientName',
      );
  } finally {
    await database.close();
  }
});
