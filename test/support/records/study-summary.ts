import type { StudySummary } from '../../../src/worklist/record-columns';

/** Of a study of which nothing is known. */
export const NO_SUMMARY: StudySummary = {
  PatientID: '',
  PatientName: '',
  PatientBirthDate: '',
  PatientSex: '',
  AccessionNumber: '',
  StudyDate: '',
  StudyTime: '',
  StudyDescription: '',
};
