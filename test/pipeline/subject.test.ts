import type { Attributes } from '../../src/dicom/attributes';
import { checkAge, checkQuality, checkSpecies } from '../../src/pipeline/subject';

test.each<Attributes>([
  { QualityControlImage: 'YES' },
  { BodyPartExamined: 'PHANTOM' },
  { SeriesDescription: 'Thorax Phantom' },
  { StudyDescription: 'Konstanzprüfung' },
  { SeriesDescription: 'TG18-QC' },
  { SeriesDescription: 'AAPM TG 18 OIQ' },
  { ProtocolName: 'AAPM_TG270-ULN' },
  { StudyDescription: 'TG QC' },
  { AnatomicRegionSequence: [{ CodeValue: '706342009' }] },
  { PatientName: [{ Alphabetic: 'PHANTOM^CHEST' }] },
  { PatientID: 'PHANTOM-01' },
])('%j is not of a patient', (attributes) => {
  expect(checkQuality(attributes)?.reason).toBe('quality-control-image');
});

test.each<Attributes>([
  {},
  { QualityControlImage: 'NO' },
  { StudyDescription: 'Phantom limb pain' },
  { StudyDescription: 'Rö-Thorax, 3. postop. Tg' },
  { SeriesDescription: 'TG CHEST AP' },
  { PatientName: [{ Alphabetic: 'Fantomas^Anna' }] },
])('%j is of a patient', (attributes) => {
  expect(checkQuality(attributes)).toBeNull();
});

test.each<Attributes>([
  { PatientSpeciesDescription: 'Canine' },
  { PatientSpeciesDescription: 'Felis catus' },
  {
    PatientSpeciesCodeSequence: [
      { CodeValue: '448771007', CodingSchemeDesignator: 'SCT', CodeMeaning: 'Domestic dog' },
    ],
  },
  { PatientSpeciesCodeSequence: [{ CodeValue: 'L-80700' }] },
  { PatientBreedDescription: 'German shepherd' },
  { AnatomicalOrientationType: 'QUADRUPED' },
  { ResponsiblePersonRole: 'OWNER' },
])('%j is an animal', (attributes) => {
  expect(checkSpecies(attributes)?.reason).toBe('not-human');
});

test.each<Attributes>([
  {},
  { PatientSpeciesDescription: null },
  { PatientSpeciesDescription: 'Human' },
  { PatientSpeciesDescription: 'HOMO SAPIENS' },
  { PatientSpeciesDescription: 'unknown' },
  { PatientSpeciesCodeSequence: [{ CodeValue: '337915000', CodeMeaning: 'Homo sapiens' }] },
  { PatientSpeciesCodeSequence: [{ CodeValue: 'L-85B00' }] },
  { ResponsiblePersonRole: 'PARENT' },
])('%j is human', (attributes) => {
  expect(checkSpecies(attributes)).toBeNull();
});

test.each<[Attributes]>([
  [{ PatientAge: '017Y' }],
  [{ PatientAge: '17Y' }],
  [{ PatientAge: '5' }],
  [{ PatientAge: '215M' }],
  [{ PatientAge: '010D' }],
  [{ PatientAge: '000Y' }],
  [{ PatientBirthDate: '20080102', StudyDate: '20260101' }],
  [{ PatientBirthDate: '2008.01.02', AcquisitionDate: '20260101' }],
  [{ PatientBirthDate: '20080102', ContentDate: '20260101' }],
])('%j is too young', (attributes) => {
  expect(checkAge(attributes, 18)?.reason).toBe('below-minimum-age');
  expect(checkAge(attributes, 0)).toBeNull();
});

test.each<[Attributes]>([
  [{}],
  [{ PatientAge: '018Y' }],
  [{ PatientAge: '216M' }],
  [{ PatientAge: 'unknown' }],
  [{ PatientAge: '000Y', PatientBirthDate: '19500101', StudyDate: '20260101' }],
  [{ PatientBirthDate: '20080101', StudyDate: '20260101' }],
  [{ PatientBirthDate: '20080102' }],
  [{ PatientBirthDate: '20300101', StudyDate: '20260101' }],
])('%j is not, or nobody knows', (attributes) => {
  expect(checkAge(attributes, 18)).toBeNull();
});

test('the site sets the age', () => {
  expect(checkAge({ PatientAge: '017Y' }, 16)).toBeNull();
  expect(checkAge({ PatientAge: '015Y' }, 16)?.text).toMatch(/younger than 16 years/);
});
