import { drawKills, drawStudies, type Kill, KILLS_OF_EACH_KIND } from '../../scripts/qa/chaos/plan.cjs';

function firstKills(seed: number, count: number, workers = 2): Kill[] {
  const plan = drawKills({ seed, meanSeconds: 5, workers });
  return Array.from({ length: count }, () => plan.next().value);
}

test('the same seed draws the same studies and kills, another one draws others', () => {
  expect(drawStudies({ seed: 7, studies: 50, meanSeconds: 1 })).toEqual(
    drawStudies({ seed: 7, studies: 50, meanSeconds: 1 }),
  );
  expect(drawStudies({ seed: 7, studies: 50 })).not.toEqual(
    drawStudies({ seed: 8, studies: 50 }).map((study) => ({ ...study, name: study.name.replace('8 ', '7 ') })),
  );
  expect(firstKills(7, 100)).toEqual(firstKills(7, 100));
  expect(firstKills(7, 100)).not.toEqual(firstKills(8, 100));
  // The values themselves, so that a run can be repeated by its seed after a change of the code, too.
  expect(
    firstKills(1, 4).map(({ kind, worker, overlaps, afterMs, downMs }) => [kind, worker, overlaps, afterMs, downMs]),
  ).toEqual([
    ['worker', 1, false, 10532, 160],
    ['broker', null, false, 1351, 2316],
    ['archive', null, true, 3427, 3659],
    ['worker', 0, false, 15000, 2710],
  ]);
});

test('every kind of kill comes in each round, every worker is met, and pauses stay within bounds', () => {
  for (let seed = 0; seed < 50; seed++) {
    const kills = firstKills(seed, KILLS_OF_EACH_KIND);
    expect(new Set(kills.map(({ kind }) => kind))).toEqual(new Set(['worker', 'broker', 'archive']));
  }
  const many = firstKills(3, 2_000, 4);
  expect(new Set(many.filter(({ kind }) => kind === 'worker').map(({ worker }) => worker))).toEqual(
    new Set([0, 1, 2, 3]),
  );
  expect(many.every(({ kind, worker }) => (kind === 'worker') === (worker !== null))).toBe(true);
  expect(
    many.every(({ afterMs, downMs }) => afterMs >= 500 && afterMs <= 15_000 && downMs >= 100 && downMs <= 4_100),
  ).toBe(true);
  const mean = many.reduce((sum, { afterMs }) => sum + afterMs, 0) / many.length;
  expect(mean).toBeGreaterThan(4_500);
  expect(mean).toBeLessThan(5_500);
});

test('studies: some with two films, some urgent, no film twice; a second film in the same series only where it is allowed', () => {
  const studies = drawStudies({ seed: 1, studies: 400 });
  const two = studies.filter(({ films }) => films.length === 2);
  expect(two.length).toBeGreaterThan(60);
  expect(two.length).toBeLessThan(140);
  expect(studies.filter(({ isStat }) => isStat).length).toBeGreaterThan(30);
  expect(new Set(studies.map(({ name }) => name)).size).toBe(400);
  expect(studies.every(({ waitMs }) => waitMs === 0)).toBe(true);
  const inSameSeries = (list: typeof studies) =>
    list.filter(
      ({ films: [first, second] }) =>
        second !== undefined && second.view === first!.view && second.modality === first!.modality,
    );
  expect(inSameSeries(studies).length).toBeGreaterThan(0);
  expect(inSameSeries(studies).every(({ films: [first, second] }) => first!.instance !== second!.instance)).toBe(true);
  expect(inSameSeries(drawStudies({ seed: 1, studies: 400, sameSeries: false }))).toEqual([]);
});
