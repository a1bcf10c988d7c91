import type { Dataset } from '../../../src/dicom/dataset';
import type { InstanceReference } from '../../../src/dicom/instance';
import { deriveUid, type Uid } from '../../../src/dicom/uid';
import { KEY_OBJECT_SELECTION } from '../../../src/objects/rejection-note';
import { writePart10 } from '../../../src/objects/write';

const TITLES: Readonly<Record<string, string>> = {
  113000: 'Of Interest',
  113001: 'Rejected for Quality Reasons',
  113037: 'Rejected for Patient Safety Reasons',
  113038: 'Incorrect Modality Worklist Entry',
  113039: 'Data Retention Policy Expired',
};

type Rejected = Pick<InstanceReference, 'studyInstanceUid' | 'seriesInstanceUid' | 'sopInstanceUid' | 'sopClassUid'>;

interface NoteOptions {
  readonly patient?: { readonly PatientID: string; readonly PatientName: string };
  readonly more?: Dataset;
}

export const noteUid = (title: string, rejected: readonly Rejected[]): Uid =>
  deriveUid(['rejection note', title, ...rejected.map(({ sopInstanceUid }) => sopInstanceUid)]);

/**
 * A Key Object Selection Document (PS3.3 section A.35.4) in the study of the first instance, as an Image Display or a
 * modality sends it (IHE RAD TF-3 section 4.66).
 */
export function rejectionNote(
  title: string,
  rejected: readonly Rejected[],
  { patient = { PatientID: 'HILUM-1', PatientName: 'Drawn^Film' }, more = {} }: NoteOptions = {},
): Uint8Array {
  const [first] = rejected;
  const evidence = rejected.map((one) => ({
    StudyInstanceUID: one.studyInstanceUid,
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: one.seriesInstanceUid,
        ReferencedSOPSequence: [
          { ReferencedSOPClassUID: one.sopClassUid, ReferencedSOPInstanceUID: one.sopInstanceUid },
        ],
      },
    ],
  }));
  const items = rejected.map((one) => ({
    RelationshipType: 'CONTAINS',
    ValueType: 'IMAGE',
    ReferencedSOPSequence: [{ ReferencedSOPClassUID: one.sopClassUid, ReferencedSOPInstanceUID: one.sopInstanceUid }],
  }));
  const uid = noteUid(title, rejected);
  return writePart10({
    SOPClassUID: KEY_OBJECT_SELECTION,
    SOPInstanceUID: uid,
    ...patient,
    PatientBirthDate: '',
    PatientSex: '',
    StudyInstanceUID: first!.studyInstanceUid,
    StudyDate: '',
    StudyTime: '',
    ReferringPhysicianName: '',
    StudyID: '',
    AccessionNumber: '',
    Modality: 'KO',
    SeriesInstanceUID: deriveUid(['series', uid]),
    SeriesNumber: '99',
    ReferencedPerformedProcedureStepSequence: [],
    Manufacturer: 'Another maker',
    InstanceNumber: '1',
    ContentDate: '20260301',
    ContentTime: '120000',
    CurrentRequestedProcedureEvidenceSequence: evidence,
    ValueType: 'CONTAINER',
    ContinuityOfContent: 'SEPARATE',
    ConceptNameCodeSequence: [
      { CodeValue: title, CodingSchemeDesignator: 'DCM', CodeMeaning: TITLES[title] ?? 'Something' },
    ],
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '2010' }],
    ContentSequence: items,
    ...more,
  });
}
