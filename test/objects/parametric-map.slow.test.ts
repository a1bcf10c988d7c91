import type { Attributes } from '../../src/dicom/attributes';
import { buildParametricMap } from '../../src/objects/parametric-map';
import { writePart10 } from '../../src/objects/write';
import { BARE_FILM, IDENTITY, plane, sourceKinds } from '../support/broker/outcomes';
import { dciodvfy, dcmdump, pydicom, pydicomPixels } from '../support/servers/judges';

const HEAT = plane(20, 25, (x, y) => x * y ** 3);
const build = (source: Attributes) => buildParametricMap(source, HEAT, IDENTITY);
const shared = (dataset: Attributes) => (dataset.SharedFunctionalGroupsSequence as [Attributes])[0];

test.each(sourceKinds())('judges find no error: %s', (_, source) => {
  const bytes = writePart10(build(source));
  expect(dciodvfy(bytes, source).errors).toEqual([]);
  expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
  expect(pydicom(bytes)).toMatchObject({ Modality: 'OT', SOPClassUID: '1.2.840.10008.5.1.4.1.1.30' });
});

test('pydicom reads the very floats that went in', () => {
  expect(pydicomPixels(writePart10(build(BARE_FILM)))).toEqual(HEAT);
});

test('dciodvfy does find fault: a map without its real world values', () => {
  const dataset = build(BARE_FILM);
  expect(
    dciodvfy(
      writePart10({
        ...dataset,
        SharedFunctionalGroupsSequence: [{ ...shared(dataset), RealWorldValueMappingSequence: [] }],
      }),
    ).errors,
  ).not.toEqual([]);
});
