import type { FoundSeries } from '../../src/archive/dicom-json';
import type { DicomWebArchive } from '../../src/archive/dicomweb';
import { StudyCache } from '../../src/archive/study-cache';
import { parseUid, type Uid } from '../../src/dicom/uid';

const STUDY = parseUid('1.2.3');
const VIEW = { ViewPosition: '00185101' };
const series = (n: number, more: Partial<FoundSeries> = {}): FoundSeries => ({
  seriesInstanceUid: parseUid(`1.2.3.${n}`),
  modality: 'CR',
  description: '',
  instances: 1,
  ...more,
});
const metadata = (uid: Uid, more: Record<string, unknown> = {}) => ({
  '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.1'] },
  '00080018': { vr: 'UI', Value: [`${uid}.1`] },
  '00080060': { vr: 'CS', Value: ['CR'] },
  '00100020': { vr: 'LO', Value: ['P1'] },
  '00185101': { vr: 'CS', Value: ['AP'] },
  '0020000D': { vr: 'UI', Value: [STUDY] },
  '0020000E': { vr: 'UI', Value: [uid] },
  ...more,
});

/** Of a study that was sorted as triage does, `ago` milliseconds ago. */
async function sorted(listed: readonly FoundSeries[], more: Record<string, unknown> = {}) {
  const clock = { now: 1_000 };
  const asked: string[] = [];
  const archive = {
    findSeries: async () => [...listed],
    sampleMetadata: async (_study: Uid, uid: Uid) => metadata(uid, more),
    findStudySummary: async () => (asked.push('study'), null),
    describe: async () => (asked.push('film'), null),
  } satisfies Partial<DicomWebArchive> as unknown as DicomWebArchive;
  const cache = new StudyCache(archive, () => clock.now);
  for (const { seriesInstanceUid, modality, instances } of await cache.findSeries(STUDY))
    if (modality === 'CR' && seriesInstanceUid !== null)
      expect(await cache.sampleAttributes(STUDY, seriesInstanceUid, VIEW, { instances })).toEqual({
        ViewPosition: ['AP'],
      });
  return { cache, clock, asked };
}

describe('all instances of a study', () => {
  test.each([
    ['one film', [series(1)]],
    ['two films, a series each', [series(1), series(2)]],
  ])('%s: known for half a second, and told once', async (_name, listed) => {
    const { cache, clock } = await sorted(listed);
    clock.now += 499;
    expect(cache.takeInstances(STUDY)).toEqual(
      listed.map(({ seriesInstanceUid }) => ({
        studyInstanceUid: STUDY,
        seriesInstanceUid,
        sopInstanceUid: `${seriesInstanceUid}.1`,
        sopClassUid: '1.2.840.10008.5.1.4.1.1.1',
        modality: 'CR',
      })),
    );
    expect(cache.takeInstances(STUDY)).toBeNull();
    const late = await sorted(listed);
    late.clock.now += 500;
    expect(late.cache.takeInstances(STUDY)).toBeNull();
  });

  test.each([
    ['a series of two', [series(1, { instances: 2 })], {}],
    ['a series whose number nobody tells', [series(1, { instances: null })], {}],
    ['another series, such as of a report', [series(1), series(2, { modality: 'SR' })], {}],
    ['no series', [], {}],
    ['metadata of another study', [series(1)], { '0020000D': { vr: 'UI', Value: ['1.2.4'] } }],
    ['metadata of many kilobytes', [series(1)], { '00081030': { vr: 'LO', Value: ['x'.repeat(20_000)] } }],
    ['metadata without a usable UID', [series(1)], { '00080018': { vr: 'UI', Value: ['?'] } }],
  ])('%s: not known', async (_name, listed, more) => {
    expect((await sorted(listed, more)).cache.takeInstances(STUDY)).toBeNull();
  });

  test('a study that was worked on has others, also where it was looked at meanwhile', async () => {
    const { cache } = await sorted([series(1)]);
    cache.forgetInstances(STUDY);
    expect(cache.takeInstances(STUDY)).toBeNull();
    const again = cache.findSeries(STUDY);
    cache.forgetInstances(STUDY);
    await again;
    await cache.sampleAttributes(STUDY, series(1).seriesInstanceUid!, VIEW, {});
    expect(cache.takeInstances(STUDY)).toBeNull();
  });

  test('nothing is known of another study', async () => {
    expect((await sorted([series(1)])).cache.takeInstances(parseUid('1.2.9'))).toBeNull();
  });
});

describe('what the list shows of a study', () => {
  const film = (n: number) => ({
    studyInstanceUid: STUDY,
    seriesInstanceUid: parseUid(`1.2.3.${n}`),
    sopInstanceUid: parseUid(`1.2.3.${n}.1`),
  });

  test('the header of a film, and the modalities of all series; also after it was worked on', async () => {
    const { cache, asked } = await sorted([series(1), series(2, { modality: 'SR' })]);
    cache.forgetInstances(STUDY);
    expect(await cache.archiveWithCache().findStudySummary(STUDY)).toMatchObject({
      PatientID: 'P1',
      modalities: ['CR', 'SR'],
    });
    expect(await cache.archiveWithCache().describe(film(1))).toMatchObject({ PatientID: 'P1', ViewPosition: 'AP' });
    expect(asked).toEqual([]);
  });

  test('of a film that was not looked at the archive is asked', async () => {
    const { cache, asked } = await sorted([series(1)]);
    await cache.archiveWithCache().describe(film(2));
    await cache.archiveWithCache().findStudySummary(parseUid('1.2.9'));
    expect(asked).toEqual(['film', 'study']);
  });

  test.each([
    ['no film was looked at', [series(1, { modality: 'CT' })], {}],
    ['texts that the archive can not have read', [series(1)], { '00080005': { vr: 'CS', Value: ['ISO-IR 192'] } }],
  ])('%s: the archive is asked', async (_name, listed, more) => {
    const { cache, asked } = await sorted(listed, more);
    await cache.archiveWithCache().findStudySummary(STUDY);
    await cache.archiveWithCache().describe(film(1));
    expect(asked).toEqual(['study', 'film']);
  });

  test('it is kept for ten seconds, and of a hundred studies', async () => {
    const many = await sorted([series(1)]);
    for (let n = 0; n < 99; n++) await many.cache.findSeries(parseUid(`1.2.5.${n}`));
    expect(await many.cache.archiveWithCache().findStudySummary(STUDY)).not.toBeNull();
    await many.cache.findSeries(parseUid('1.2.6'));
    expect(await many.cache.archiveWithCache().findStudySummary(STUDY)).toBeNull();
    const late = await sorted([series(1)]);
    late.clock.now += 10_000;
    expect(await late.cache.archiveWithCache().findStudySummary(STUDY)).toBeNull();
  });
});
