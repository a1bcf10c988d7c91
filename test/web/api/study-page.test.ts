import { readPart10 } from '../../../src/dicom/read';
import { SOP_CLASSES } from '../../../src/objects/sop-classes';
import type { FilmReport, PriorStudies, StudyDetail, StudyPage } from '../../../src/web/api/api-types';
import { storedOutlines } from '../../../src/web/api/stored-outlines';
import { frameFor } from '../../../src/pipeline/picture-frame';
import { filmRecord, studyRecord } from '../../support/records/study-record';
import { ListSite, studyOf } from '../../support/web/list-site';

let site: ListSite;
const json = async <T>(answer: Response): Promise<T> => (await answer.json()) as T;
const detailOf = async (uid: string) => json<StudyDetail>(await site.get(`/api/v1/studies/${uid}`));

beforeAll(async () => {
  site = await ListSite.open();
  const patient = { PatientID: 'P-1' };
  await site.analysed({ seed: 1 }, { probability: 0.9 }, { patient });
  for (const [seed, probability] of [
    [2, 0.1],
    [3, 0.7],
  ] as const)
    await site.analysed({ seed }, { probability }, { patient });
  await site.analysed({ seed: 4 }, {}, { patient: { ...patient, IssuerOfPatientID: 'OTHER' } });
}, 60_000);
afterAll(() => site.close());

describe('earlier studies of the same patient', () => {
  const path = `/api/v1/studies/${studyOf(1)}/priors`;

  test('have date, result and the film that stands for them; those of another issuer are not there', async () => {
    const { priors } = await json<PriorStudies>(await site.get(path));
    expect(priors.map(({ studyInstanceUid }) => studyInstanceUid).sort()).toEqual([studyOf(2), studyOf(3)].sort());
    const prior = priors.find(({ studyInstanceUid }) => studyInstanceUid === studyOf(3))!;
    expect(prior).toMatchObject({ studyDate: '2026-01-02', state: 'done', views: ['frontal'] });
    expect(prior.result).toMatchObject({ probabilityText: '70.0', reached: true });
    expect((await site.get(`${prior.film!.picture}?size=256`)).status).toBe(200);
  });

  test('each of them is in the audit trail before it is shown', async () => {
    site.audit.splice(0);
    await site.get(path);
    expect(site.audit).toHaveLength(1);
    expect(site.audit[0]).toMatchObject({ kind: 'study-read' });
    const named = (site.audit[0] as { studies: readonly { studyInstanceUid: string }[] }).studies;
    expect(named.map(({ studyInstanceUid }) => studyInstanceUid).sort()).toEqual([1, 2, 3].map(studyOf).sort());
    site.auditsAreLost = true;
    const refused = await site.get(path);
    site.auditsAreLost = false;
    expect(refused.status).toBe(503);
  });

  test('are for radiologists alone', async () => {
    expect((await site.get(path, ['operator'])).status).toBe(403);
    expect((await site.get(path, ['metrics'])).status).toBe(403);
    expect((await site.get('/api/v1/studies/1.2.3/priors')).status).toBe(404);
  });

  test('are at most twenty', async () => {
    const before = studyRecord('p');
    for (let i = 0; i < 25; i++) {
      const record = studyRecord(`p${i}`, { films: [filmRecord(`p${i}`)] });
      await site.worklist.record({ ...record, patient: { ...before.patient, PatientID: 'P-MANY' } });
    }
    const { studyInstanceUid } = studyRecord('p0');
    expect(
      (await json<PriorStudies>(await site.get(`/api/v1/studies/${studyInstanceUid}/priors`))).priors,
    ).toHaveLength(20);
  });
});

test.each(['undecodable', 'unreadable', 'no-image', 'multi-frame', 'blank-image'] as const)(
  'a film without a picture (%s) says so, and nobody is sent where none is',
  async (reason) => {
    const film = filmRecord(reason, { outcome: 'not-analysed', reason, probability: null, outputs: [] });
    const record = studyRecord(reason, { films: [film], priority: null });
    await site.worklist.record(record);
    const { films, row } = await detailOf(record.studyInstanceUid);
    expect(films[0]).toMatchObject({ picture: null, noPicture: reason === 'blank-image' ? 'blank' : 'undecodable' });
    expect(row.leadFilm).toBeNull();
    const { rows } = await json<StudyPage>(await site.get('/api/v1/studies?limit=100'));
    expect(rows.find(({ studyInstanceUid }) => studyInstanceUid === record.studyInstanceUid)!.leadFilm).toBeNull();
    const seen = await json<StudyDetail>(await site.get(`/api/v1/studies/${record.studyInstanceUid}`, ['operator']));
    expect(seen.films[0]).toMatchObject({ picture: null, noPicture: null });
  },
);

test('a film that the archive does not have says so; one that was not analysed has its picture', async () => {
  const gone = studyRecord('gone', { films: [filmRecord('gone', { seriesInstanceUid: null })] });
  await site.worklist.record(gone);
  expect((await detailOf(gone.studyInstanceUid)).films[0]).toMatchObject({
    picture: null,
    noPicture: 'not-in-archive',
  });
  await site.analysed({ seed: 9 }, { lateral: 0.99 });
  const { films, row } = await detailOf(studyOf(9));
  expect(films[0]!.noPicture).toBeNull();
  expect(row.leadFilm).not.toBeNull();
  expect((await site.get(`${films[0]!.picture}?size=96`)).status).toBe(200);
});

test('a heat map with its outlines drawn in, as older versions stored it, is shown and said to be one', async () => {
  const film = (await detailOf(studyOf(2))).films[0]!;
  const { record } = (await site.worklist.study(studyOf(2)))!;
  const { sopInstanceUid } = record!.films[0]!.outputs.find(({ sopClassUid }) => sopClassUid === SOP_CLASSES.heatMap)!;
  const stored = site.archive.objects.get(sopInstanceUid)!;
  const report = () => site.get(film.report!).then((answer) => json<FilmReport>(answer));
  const old = await ListSite.open({ parts: { archive: { retrieve: withoutOverlays } } });
  async function withoutOverlays(path: Parameters<typeof site.archive.retrieve>[0]): Promise<Uint8Array> {
    const bytes = await site.archive.retrieve(path);
    return path.sopInstanceUid === sopInstanceUid ? cutOverlays(bytes) : bytes;
  }
  try {
    expect((await report()).outlinesAreBurnedIn).toBe(false);
    expect(readPart10(cutOverlays(stored.bytes)).attributes.OverlayData).toBeUndefined();
    await old.worklist.record(record!);
    expect((await old.get(`${film.heatMap}size=1024&part=film`)).status).toBe(200);
    const answer = await json<FilmReport>(await old.get(film.report!));
    expect(answer).toMatchObject({ outlinesAreBurnedIn: true, lungs: null });
    expect(answer.hotRegion.length).toBeGreaterThan(3);
  } finally {
    await old.close();
  }
});

/** Group 60xx lies between the header and Pixel Data. */
function cutOverlays(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes);
  const from = file.indexOf(Buffer.from([0x00, 0x60, 0x10, 0x00, 0x55, 0x53]));
  const to = file.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f]), from);
  return Buffer.concat([file.subarray(0, from), file.subarray(to)]);
}

test('outlines of a plane that does not fit the picture are not drawn', () => {
  const frame = frameFor(200, 170);
  const film = { rows: 200, columns: 170 };
  const plane = { OverlayRows: frame.height, OverlayColumns: frame.width };
  const bits = new Uint8Array((frame.height * frame.width) / 8 + 2);
  for (const [attributes, where] of [
    [{ ...plane, OverlayData: bits }, null],
    [{ ...plane, OverlayRows: 60_000, OverlayData: bits }, frame],
    [{ ...plane, OverlayData: bits.subarray(0, 10) }, frame],
  ] as const)
    expect(storedOutlines(attributes, where, film)).toEqual({ lungs: null, areBurnedIn: false });
  expect(storedOutlines({ ...plane, OverlayData: bits }, frame, film)).toEqual({ lungs: [], areBurnedIn: false });
  expect(storedOutlines({}, frame, film)).toEqual({ lungs: null, areBurnedIn: true });
});
