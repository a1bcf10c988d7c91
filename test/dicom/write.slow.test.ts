import { writePart10 } from '../../src/objects/write';
import { DATA_SET } from '../support/records/written-data-set';
import { dcmdump, pydicom } from '../support/servers/judges';

test('what is written is read by pydicom and dcmtk', () => {
  const bytes = writePart10(DATA_SET);
  expect(pydicom(bytes)).toMatchObject({ PatientName: 'Гусева^Анна=山田^花子', SpecificCharacterSet: 'ISO_IR 192' });
  const dump = dcmdump(bytes);
  expect(dump).toMatchObject({ status: 0, errors: [], warnings: [] });
  expect(dump.text).toMatch(/\(0002,0010\) UI =LittleEndianExplicit/);
  expect(dump.text).toMatch(/\(0002,0013\) SH \[HILUM_0\]/);
});
