import { openLine } from '../../src/app';
import { configSchema } from '../../src/base/config';
import { analyseFilm, type Line } from '../../src/pipeline/pipeline';
import { drawnCells, laid, lyingFilm, type Orientation } from '../support/lying';

let line: Line;
beforeAll(async () => {
  line = await openLine(configSchema.shape.models.parse({}), configSchema.shape.results.parse({}));
}, 120_000);

const STANDING = drawnCells({ seed: 1, view: 'PA', rows: 500, columns: 420 });
const analyse = (orientation: Orientation, said: string) => analyseFilm(lyingFilm(laid(STANDING, orientation), said), line);


test.each(['L\\F', 'R\\F', 'F\\R', 'H\\L'] as const)('%s, said so: the result of the film as it is normally shown', async (orientation) => {
  const outcome = await analyse(orientation, orientation);
  if (outcome.outcome !== 'analysed') throw new Error(outcome.refusal.text);
  const standing = await analyse('L\\F', 'L\\F');
  if (standing.outcome !== 'analysed') throw new Error(standing.refusal.text);
  expect(outcome.explained.inferred.probability).toBeCloseTo(standing.explained.inferred.probability, 4);
  expect(outcome.explained.inferred.lungs.lungFraction).toBeCloseTo(standing.explained.inferred.lungs.lungFraction, 3);
});

test.each(['R\\H', 'L\\H', 'F\\L', 'H\\R'] as const)('%s, but the film says nothing about it: it is not analysed', async (orientation) => {
  expect(await analyse(orientation, '')).toMatchObject({ outcome: 'not-analysed', refusal: { reason: expect.stringMatching(/^(lateral-view|implausible-lungs)$/) as string } });
});

test('mirrored, but the film says nothing about it: nobody can tell, and it is analysed as it is', async () => {
  expect(await analyse('R\\F', '')).toMatchObject({ outcome: 'analysed' });
});
