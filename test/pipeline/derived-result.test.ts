import type { Attributes } from '../../src/dicom/attributes';
import { checkDerived, checkDerivedColour } from '../../src/pipeline/derived-result';

const SC = '1.2.840.10008.5.1.4.1.1.7';
const DX = '1.2.840.10008.5.1.4.1.1.1.1';

test.each<Attributes>([
  { SOPClassUID: SC, ImageType: ['DERIVED', 'SECONDARY'], SeriesDescription: 'ACME AI CXR RESULT' },
  { SOPClassUID: SC, SeriesDescription: 'Heatmap' },
  { SOPClassUID: DX, ImageType: ['DERIVED', 'SECONDARY'], Manufacturer: 'Lunit Inc.' },
  { SOPClassUID: SC, ImageType: ['DERIVED', 'SECONDARY', 'OVERLAY'] },
  {
    SOPClassUID: SC,
    ImageType: ['DERIVED', 'SECONDARY'],
    ContributingEquipmentSequence: [{ Manufacturer: 'qure.ai', ManufacturerModelName: 'qXR' }],
  },
  { SOPClassUID: SC, DerivationDescription: 'Output of a neural network' },
])('%j is the result of another product', (attributes) => {
  expect(checkDerived(attributes)?.reason).toBe('derived-result');
});

test.each<Attributes>([
  { SOPClassUID: DX, ImageType: ['DERIVED', 'PRIMARY'], SeriesDescription: 'Chest PA AI noise reduction' },
  { SOPClassUID: DX, ImageType: ['ORIGINAL', 'PRIMARY'], Manufacturer: 'Lunit' },
  { SOPClassUID: DX, ImageType: ['DERIVED', 'SECONDARY'], Manufacturer: 'Agfa', SeriesDescription: 'Chest PA' },
  { SOPClassUID: SC, SeriesDescription: 'Film digitizer' },
  { SOPClassUID: SC, ImageType: ['DERIVED', 'SECONDARY'], SeriesDescription: 'MAIN CHAIR' },
  {},
])('%j is a film', (attributes) => {
  expect(checkDerived(attributes)).toBeNull();
});

test('a derived picture in colour is one, a grey one or an original is not', () => {
  const derived = { ImageType: ['DERIVED', 'SECONDARY'] };
  expect(checkDerivedColour(derived, { coloured: true })?.reason).toBe('derived-result');
  expect(checkDerivedColour(derived, {})).toBeNull();
  expect(checkDerivedColour({ ImageType: ['ORIGINAL', 'PRIMARY'] }, { coloured: true })).toBeNull();
  expect(checkDerivedColour({}, { coloured: true })).toBeNull();
});
