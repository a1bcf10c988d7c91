import { parseUid } from '../../src/dicom/uid';
import { readRejectionNote } from '../../src/objects/rejection-note';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { rejectionNote } from '../support/films/rejection-note';

const CR = parseUid('1.2.840.10008.5.1.4.1.1.1');
const film = (seed: number) => ({ ...syntheticUids({ seed, view: 'PA', rows: 64, columns: 64 }), sopClassUid: CR });

test.each([
  ['113001', 'rejected-for-quality'],
  ['113037', 'rejected-for-patient-safety'],
  ['113038', 'incorrect-worklist-entry'],
  ['113039', 'retention-expired'],
])('the title (%s, DCM) rejects: %s', (title, reason) => {
  expect(readRejectionNote(rejectionNote(title, [film(1)]))).toEqual({ reason, rejected: [film(1).sopInstanceUid] });
});

test('instances of several series and studies are all named', () => {
  const note = readRejectionNote(rejectionNote('113001', [film(1), film(2)]));
  expect(note!.rejected).toEqual([film(1).sopInstanceUid, film(2).sopInstanceUid]);
});

test('a selection with another title, a title of another scheme and another document reject nothing', () => {
  const private_ = { CodeValue: '113001', CodingSchemeDesignator: '99X', CodeMeaning: 'Something' };
  expect(readRejectionNote(rejectionNote('113000', [film(1)]))).toBeNull();
  expect(
    readRejectionNote(rejectionNote('113001', [film(1)], { more: { ConceptNameCodeSequence: [private_] } })),
  ).toBeNull();
  expect(readRejectionNote(rejectionNote('113001', [film(1)], { more: { ConceptNameCodeSequence: [] } }))).toBeNull();
  expect(readRejectionNote(syntheticDicom({ seed: 1, view: 'PA', rows: 64, columns: 64 }))).toBeNull();
});

test.each<[string, Uint8Array]>([
  ['no DICOM at all', Buffer.from('a note')],
  ['no evidence', rejectionNote('113001', [film(1)], { more: { CurrentRequestedProcedureEvidenceSequence: [] } })],
  [
    'evidence without a UID',
    rejectionNote('113001', [film(1)], {
      more: {
        CurrentRequestedProcedureEvidenceSequence: [{ ReferencedSeriesSequence: [{ ReferencedSOPSequence: [{}] }] }],
      },
    }),
  ],
])('%s: unreadable', (_, bytes) => {
  expect(() => readRejectionNote(bytes)).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }));
});
