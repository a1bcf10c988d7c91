import {
  abbreviated,
  describe as tableOf,
  type ReportedFilm,
  type ReportedStudy,
} from '../../scripts/dev/demo/table.cjs';

const film = (over: Partial<ReportedFilm> = {}): ReportedFilm => ({
  file: 'film.dcm',
  sopInstanceUid: '1.2.3',
  modality: 'CR',
  isRadiograph: true,
  outcome: 'analysed',
  reason: null,
  view: 'frontal',
  probability: 0.01,
  probabilityText: '1.0 %',
  outputs: [{}, {}],
  why: 'Probability of a finding 1.0 %',
  ...over,
});

const study = (over: Partial<ReportedStudy> = {}): ReportedStudy => ({
  study: 1,
  studyInstanceUid: '1.2.826.0.1.3680043.8.498.1',
  priority: 'routine',
  urgentBy: [],
  secondsToResult: 1.25,
  list: 'shown',
  films: [film()],
  ...over,
});

const rejected = (reason: string, over: Partial<ReportedFilm> = {}) =>
  film({
    outcome: 'rejected',
    reason,
    view: null,
    probability: null,
    probabilityText: null,
    outputs: [],
    why: 'Why',
    ...over,
  });

describe('abbreviated UIDs', () => {
  test.each([
    ['short ones as they are', ['1.2.3', '1.2.4'], ['1.2.3', '1.2.4']],
    [
      'their ends',
      ['1.2.826.0.1.3680043.8.498.11', '1.2.826.0.1.3680043.8.498.12'],
      ['...3.8.498.11', '...3.8.498.12'],
    ],
    [
      'longer where they differ in the middle',
      ['1.2.826.0.1.1.20040826185059.5457', '1.2.826.0.1.2.20040826185059.5457'],
      ['....1.20040826185059.5457', '....2.20040826185059.5457'],
    ],
  ])('%s', (_what, uids, expected) => {
    expect(abbreviated(uids)).toEqual(expected);
  });

  test('different ones never look the same, whatever they have in common', () => {
    const uids = [1, 2, 3].flatMap((a) => [1, 2, 3].map((b) => `1.2.826.${a}.${'0.'.repeat(20)}${b}.99.2020`));
    expect(new Set(abbreviated(uids)).size).toBe(uids.length);
    const oneInAnother = ['3.4.5.6.7.8.9.10', '1.2.3.4.5.6.7.8.9.10'];
    expect(new Set(abbreviated(oneInAnother)).size).toBe(2);
  });
});

test('each line says why, and what made a study urgent', () => {
  const text = tableOf({
    studies: [
      study({ priority: 'urgent', urgentBy: ['order'] }),
      study({ study: 2, priority: 'urgent', urgentBy: ['order', 'finding'] }),
      study({
        study: 3,
        list: 'hidden',
        priority: null,
        films: [rejected('body-part', { why: 'Not analysed because of a hand' })],
      }),
    ],
    notStored: [],
  });
  const lines = text.split('\n');
  expect(lines.filter((line) => /^\d/.test(line))).toHaveLength(3);
  expect(lines).toContainEqual(
    expect.stringMatching(/^ +Urgent by its order: a rule of priority.rules is met. Probability of a finding 1.0 %\.$/),
  );
  expect(text).toContain('is met. Urgent by its finding. Probability');
  expect(text).toContain('Not analysed because of a hand. The reading list hides it until it is asked for.');
  expect(text).toContain('Research use only, not for diagnosis.');
});

test('a folder of anything: what is no film is counted, files not stored are grouped, nothing controls the terminal', () => {
  const mr = rejected('modality MR', { modality: 'MR', isRadiograph: false });
  const text = tableOf({
    studies: [
      study({ films: [film({ file: 'evil\x1b[2J.dcm' })] }),
      ...[2, 3, 4].map((number) => study({ study: number, list: 'absent', films: [mr, mr] })),
    ],
    notStored: [
      ...[1, 2, 3, 4, 5, 6, 7].map((i) => ({ file: `${i}.txt`, reason: 'no DICOM file' })),
      { file: 'b.dcm', reason: 'AlreadyStored', sameAs: 'a.dcm' },
    ],
  });
  expect(text).toContain(
    'studies without a film (CR or DX), left alone: 3\n  3 x MR\n  The reading list has no row of them.',
  );
  expect(text).toContain(
    'files that were not stored: 8\n  7 x no DICOM file: 1.txt, 2.txt, 3.txt, 4.txt, 5.txt and 2 more\n',
  );
  expect(text).toContain('  1 x AlreadyStored: b.dcm (as a.dcm)\n');
  expect(text).toContain('evil?[2J.dcm');
});
