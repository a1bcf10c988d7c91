import { deriveUid } from '../../../src/dicom/uid';
import { openDatabase } from '../../../src/worklist/database';
import { Worklist } from '../../../src/worklist/worklist';
import { detailView } from '../../../src/web/api/detail-view';
import { recordingLog } from '../../support/records/logs';
import { filmRecord, studyRecord } from '../../support/records/study-record';

const uid = (name: string) => deriveUid(['test', name]);
const report = (name: string) => ({
  sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34' as ReturnType<typeof uid>,
  seriesInstanceUid: uid('series'),
  sopInstanceUid: uid(name),
});

test('the history of a study says in words which result took the place of which', async () => {
  const database = openDatabase('file::memory:', recordingLog());
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
