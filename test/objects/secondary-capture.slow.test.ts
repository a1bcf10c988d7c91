import type { Attributes } from '../../src/dicom/attributes';
import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { writePart10 } from '../../src/objects/write';
import { IDENTITY, sourceKinds } from '../support/broker/outcomes';
import { dciodvfy, dcmdump, overlayPlanes, pydicom } from '../support/servers/judges';

/** An odd number of bytes: 3 x 5 x 3. */
const PICTURE = {
  rows: 3,
  columns: 5,
  rgb: Uint8Array.from({ length: 45 }, (_, i) => i * 5),
  outlines: [
    { of: 'lungs', bits: Uint8Array.of(0b10000001, 0b01000000) },
    { of: 'activation', bits: Uint8Array.of(0b00010000, 0) },
  ],
} as const;
const build = (source: Attributes) => buildSecondaryCapture(source, PICTURE, IDENTITY);

test('another reader sees the outlines where they were drawn, each in a plane of its own', () => {
  expect(overlayPlanes(writePart10(build(sourceKinds()[0]![1])))).toEqual({
    '6000': { label: 'Lungs', set: [0, 7, 14] },
    '6002': { label: 'Greatest activation', set: [4] },
  });
});

test.each(sourceKinds())('judges find no error: %s', (_, source) => {
  const bytes = writePart10(build(source));
  expect(dciodvfy(bytes, source).errors).toEqual([]);
  expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
  expect(pydicom(bytes)).toMatchObject({ Modality: 'OT', pixels: [3, 5, 46, '00050a0f1419'] });
});
