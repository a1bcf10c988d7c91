/** One attribute of each kind, with a name in three scripts. */
export const DATA_SET = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
  SOPInstanceUID: '2.25.1',
  StudyInstanceUID: '2.25.2',
  SeriesInstanceUID: '2.25.3',
  PatientName: 'Гусева^Анна=山田^花子',
  PatientID: '',
  ReferencedPerformedProcedureStepSequence: [],
  ImageType: ['DERIVED', 'SECONDARY'],
  NumericValue: '97.123456',
  GraphicData: [1.5, 2, 3.25],
  Rows: 3,
  ConceptNameCodeSequence: [{ CodeValue: '111030', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Image Region' }],
};
