import { drawSyntheticFilm, type SyntheticView } from '../../src/objects/synthetic-film';

const SIZE = { rows: 96, columns: 80 };
const VIEWS: SyntheticView[] = ['PA', 'AP', 'LL'];

/** Mean of a rectangle given in fractions of the film. */
function meanOf(
  { rows, columns, pixels }: ReturnType<typeof drawSyntheticFilm>,
  [left, top, right, bottom]: [number, number, number, number],
): number {
  let [total, count] = [0, 0];
  for (let row = Math.floor(top * rows); row < bottom * rows; row++) {
    for (let column = Math.floor(left * columns); column < right * columns; column++, count++)
      total += pixels[row * columns + column]!;
  }
  return total / count;
}

describe('the drawing', () => {
  test.each(VIEWS)('%s: the same seed gives the same film, another one another', (view) => {
    const film = drawSyntheticFilm({ seed: 1, view, ...SIZE });
    expect(drawSyntheticFilm({ seed: 1, view, ...SIZE })).toEqual(film);
    expect(drawSyntheticFilm({ seed: 2, view, ...SIZE }).pixels).not.toEqual(film.pixels);
    expect(film.pixels).toHaveLength(SIZE.rows * SIZE.columns);
  });

  test.each(VIEWS)('%s: uses much of the 12 bits and never more', (view) => {
    const { pixels } = drawSyntheticFilm({ seed: 3, view, ...SIZE });
    expect(Math.max(...pixels)).toBeLessThan(4096);
    expect(Math.max(...pixels) - Math.min(...pixels)).toBeGreaterThan(1500);
  });

  test('frontal: lungs are darker than the spine between them and than the abdomen below, air is darkest', () => {
    const film = drawSyntheticFilm({ seed: 4, view: 'PA', rows: 256, columns: 256, opacities: 0 });
    const lungs = [meanOf(film, [0.25, 0.3, 0.33, 0.6]), meanOf(film, [0.68, 0.3, 0.76, 0.45])];
    for (const lung of lungs) {
      expect(lung).toBeLessThan(0.75 * meanOf(film, [0.48, 0.3, 0.52, 0.6]));
      expect(lung).toBeLessThan(0.75 * meanOf(film, [0.3, 0.92, 0.7, 0.98]));
      expect(lung).toBeGreaterThan(2 * meanOf(film, [0, 0, 0.1, 0.05]));
    }
  });

  test('opacities make lungs denser', () => {
    const region: [number, number, number, number] = [0.2, 0.25, 0.8, 0.65];
    const [clear, cloudy] = [0, 8].map((opacities) =>
      drawSyntheticFilm({ seed: 5, view: 'AP', rows: 128, columns: 128, opacities }),
    );
    expect(meanOf(cloudy!, region)).toBeGreaterThan(meanOf(clear!, region));
  });

  test('a hand is no chest: fingers of bone and flesh, and air between them', () => {
    const film = drawSyntheticFilm({ seed: 5, view: 'PA', rows: 256, columns: 256, subject: 'hand' });
    const [bone, flesh, air] = [
      meanOf(film, [0.455, 0.2, 0.465, 0.22]),
      meanOf(film, [0.435, 0.2, 0.445, 0.22]),
      meanOf(film, [0.37, 0.1, 0.4, 0.14]),
    ];
    expect(flesh).toBeGreaterThan(2 * air);
    expect(bone).toBeGreaterThan(1.3 * flesh);
  });

  test('a plate without an exposure is one grey', () => {
    const { pixels } = drawSyntheticFilm({ seed: 6, view: 'AP', ...SIZE, subject: 'nothing' });
    expect(new Set(pixels).size).toBe(1);
  });

  test.each([
    [7, 100],
    [100, 8193],
    [10.5, 20],
  ])('no film of %d x %d', (rows, columns) => {
    expect(() => drawSyntheticFilm({ seed: 1, view: 'PA', rows, columns })).toThrow(RangeError);
  });
});
