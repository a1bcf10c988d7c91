import { judge, type ListedObject } from '../../scripts/qa/chaos/verdict.cjs';

/** The judge of the chaos run must see what went wrong: made-up lists of an archive, each with one thing wrong. */
const SENT = [
  { studyInstanceUid: '1.1', films: ['1.1.1'] },
  { studyInstanceUid: '1.2', films: ['1.2.1', '1.2.2'] },
];

const film = (study: string, uid: string): ListedObject => ({
  study,
  modality: 'CR',
  sopInstanceUid: uid,
  refersTo: [],
});
const report = (
  study: string,
  about: string,
  uid = `${about}.9`,
  heatMap: string | null = `${about}.8`,
): ListedObject => ({
  study,
  modality: 'SR',
  sopInstanceUid: uid,
  refersTo: heatMap === null ? [about] : [about, heatMap],
});
const heatMap = (study: string, about: string, uid = `${about}.8`): ListedObject => ({
  study,
  modality: 'OT',
  sopInstanceUid: uid,
  refersTo: [about],
});

/** The first study and the first film of the second are analysed, the last film is not. */
const RIGHT: readonly ListedObject[] = [
  film('1.1', '1.1.1'),
  heatMap('1.1', '1.1.1'),
  report('1.1', '1.1.1'),
  film('1.2', '1.2.1'),
  film('1.2', '1.2.2'),
  heatMap('1.2', '1.2.1'),
  report('1.2', '1.2.1'),
  report('1.2', '1.2.2', '1.2.2.9', null),
];
const without = (uid: string) => RIGHT.filter(({ sopInstanceUid }) => sopInstanceUid !== uid);

test('one whole set for each film is right', () => {
  expect(judge(SENT, RIGHT)).toEqual({ stored: 3, analysed: 2, notAnalysed: 1, lost: 0, doubled: 0, problems: [] });
});

test.each([
  [
    'a film without any result',
    RIGHT.filter(({ sopInstanceUid }) => !['1.1.1.8', '1.1.1.9'].includes(sopInstanceUid)),
    { analysed: 1, lost: 1, doubled: 0 },
  ],
  ['a film with its heat map only, as after a kill', without('1.1.1.9'), { analysed: 1, lost: 1, doubled: 0 }],
  ['a film whose report names a heat map that is not there', without('1.1.1.8'), { analysed: 2, lost: 1, doubled: 0 }],
  [
    'a film that is not in the archive',
    RIGHT.filter(({ study }) => study !== '1.1'),
    { stored: 2, lost: 1, doubled: 0 },
  ],
  ['one film of two without its report', without('1.2.2.9'), { notAnalysed: 0, lost: 1, doubled: 0 }],
])('lost: %s', (_name, listed, expected) => {
  const verdict = judge(SENT, listed);
  expect(verdict).toMatchObject(expected);
  expect(verdict.problems).toHaveLength(1);
});

test.each([
  ['a second report with another UID', [...RIGHT, report('1.1', '1.1.1', '1.1.1.99')], 1],
  [
    'a second report and a second heat map',
    [...RIGHT, heatMap('1.1', '1.1.1', '1.1.1.88'), report('1.1', '1.1.1', '1.1.1.99', '1.1.1.88')],
    2,
  ],
  ['a second heat map with another UID', [...RIGHT, heatMap('1.1', '1.1.1', '1.1.1.88')], 1],
  ['a heat map of a film that is called not analysed', [...RIGHT, heatMap('1.2', '1.2.2')], 1],
  ['the same SOP Instance UID twice', [...RIGHT, report('1.1', '1.1.1')], 1],
  ['a film twice', [...RIGHT, film('1.2', '1.2.1')], 1],
  ['an object about nothing that was sent', [...RIGHT, report('1.1', '1.9.9', '1.9.9.9', null)], 1],
  ['objects of a study that nobody sent', [...RIGHT, film('1.3', '1.3.1'), report('1.3', '1.3.1', '1.3.1.9', null)], 2],
  ['a result in the wrong study', [...without('1.1.1.8'), { ...heatMap('1.1', '1.1.1'), study: '1.2' }], 1],
])('doubled: %s', (_name, listed, doubled) => {
  const verdict = judge(SENT, listed);
  expect(verdict.doubled).toBe(doubled);
  expect(verdict.problems.length).toBeGreaterThan(0);
});

test('a problem names the film, and shows what its study holds', () => {
  const { problems } = judge(SENT, [...RIGHT, report('1.1', '1.1.1', '1.1.1.99')]);
  expect(problems).toEqual([
    {
      study: '1.1',
      film: '1.1.1',
      what: '2 objects that are its report, where there is to be 1',
      holds: [
        'CR 1.1.1',
        'OT 1.1.1.8 about 1.1.1',
        'SR 1.1.1.9 about 1.1.1, 1.1.1.8',
        'SR 1.1.1.99 about 1.1.1, 1.1.1.8',
      ],
    },
  ]);
});
