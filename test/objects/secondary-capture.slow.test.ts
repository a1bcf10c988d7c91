import type { Attributes } from '../../src/dicom/attributes';
import { buildSecondaryCapture } from '../../src/objects/secondary-capture';
import { writePart10 } from '../../src/objects/write';
import { IDENTITY, sourceKinds } from '../support/broker/outcomes';
import { dciodvfy, dcmdump, pydicom } from '../support/servers/judges';

/** An odd number of bytes: 3 x 5 x 3. */
const PICTURE = { rows: 3, columns: 5, rgb: Uint8Array.from({ length: 45 }, (_, i) => i * 5) };
const build = (source: Attributes) => buildSecondaryCapture(source, PICTURE, IDENTITY);

test.each(sourceKinds())('judges find no error: %s', (_, source) => {
  const bytes = writePart10(build(source));
  expect(dciodvfy(bytes, source).errors).toEqual([]);
  expect(dcmdump(bytes)).toMatchObject({ status: 0, errors: [], warnings: [] });
  expect(pydicom(bytes)).toMatchObject({ Modality: 'OT', pixels: [3, 5, 46, '00050a0f1419'] });
});
