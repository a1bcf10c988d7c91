import { readPart10 } from '../../src/dicom/read';
import { drawSyntheticFilm, syntheticDicom, syntheticUids, type SyntheticView } from '../../src/objects/synthetic-film';
import { dciodvfy, pydicom } from '../support/servers/judges';

const SIZE = { rows: 96, columns: 80 };
const VIEWS: SyntheticView[] = ['PA', 'AP', 'LL'];

describe('the object', () => {
  test.each(VIEWS.flatMap((view) => (['CR', 'DX'] as const).map((modality) => ({ view, modality }))))(
    '$modality $view is valid DICOM',
    ({ view, modality }) => {
      const verdict = dciodvfy(syntheticDicom({ seed: 7, view, modality, ...SIZE }));
      expect(verdict.errors).toEqual([]);
    },
  );

  test.each(
    (['hand', 'nothing'] as const).flatMap((subject) =>
      (['CR', 'DX'] as const).map((modality) => ({ subject, modality })),
    ),
  )('$modality of $subject is valid DICOM with UIDs of its own', ({ subject, modality }) => {
    const film = { seed: 7, view: 'PA', modality, ...SIZE } as const;
    expect(dciodvfy(syntheticDicom({ ...film, subject })).errors).toEqual([]);
    expect(syntheticUids({ ...film, subject }).sopInstanceUid).not.toBe(syntheticUids(film).sopInstanceUid);
  });

  test('UIDs of chest films are those that they always had', () => {
    const film = { seed: 1, view: 'PA', modality: 'DX', rows: 1280, columns: 1100 } as const;
    expect(syntheticUids(film).sopInstanceUid).toBe('2.25.314497669406559358035912121167123204175');
  });

  test('another reader sees the same pixels and a made-up patient', () => {
    const film = { seed: 8, view: 'PA', ...SIZE } as const;
    const seen = pydicom(syntheticDicom(film));
    const { pixels } = drawSyntheticFilm(film);
    expect(seen).toMatchObject({
      PatientName: 'Synthetic^Film',
      Modality: 'CR',
      pixels: [SIZE.rows, SIZE.columns, 2 * pixels.length, Buffer.from(pixels.slice(0, 3).buffer).toString('hex')],
    });
  });

  test('the same film is the same bytes', () => {
    expect(syntheticDicom({ seed: 9, view: 'AP', ...SIZE })).toEqual(syntheticDicom({ seed: 9, view: 'AP', ...SIZE }));
  });

  test('films of a seed share a study and a patient; a view is a series, an instance an object', () => {
    const films = [{ view: 'PA' }, { view: 'PA', instance: 2 }, { view: 'LL' }] as const;
    const uids = films.map((film) => syntheticUids({ seed: 10, ...SIZE, ...film }));
    expect(new Set(uids.map((uid) => uid.studyInstanceUid)).size).toBe(1);
    expect(new Set(uids.map((uid) => uid.seriesInstanceUid)).size).toBe(2);
    expect(new Set(uids.map((uid) => uid.sopInstanceUid)).size).toBe(3);
    expect(syntheticUids({ seed: 11, view: 'PA', ...SIZE }).studyInstanceUid).not.toBe(uids[0]!.studyInstanceUid);
  });

  test('a film put into a given study belongs to the patient of that study', () => {
    const first = readPart10(syntheticDicom({ seed: 12, view: 'PA', ...SIZE }));
    const second = readPart10(
      syntheticDicom({ seed: 13, view: 'AP', ...SIZE, studyInstanceUid: String(first.attributes.StudyInstanceUID) }),
    );
    for (const keyword of ['StudyInstanceUID', 'PatientID'])
      expect(second.attributes[keyword]).toBe(first.attributes[keyword]);
    expect(second.attributes.SOPInstanceUID).not.toBe(first.attributes.SOPInstanceUID);
  });
});
