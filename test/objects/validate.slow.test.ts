import { writePart10 } from '../../src/objects/write';
import { PARAMETRIC_MAP, SEGMENTATION } from '../support/films/pixel-objects';
import { dciodvfy } from '../support/servers/judges';

test.each([
  ['segmentation', SEGMENTATION],
  ['map', PARAMETRIC_MAP],
])('the %s that validation is tried on is none of our making, and dciodvfy finds no error in it', (_, dataset) => {
  expect(dciodvfy(writePart10(dataset)).errors).toEqual([]);
});
