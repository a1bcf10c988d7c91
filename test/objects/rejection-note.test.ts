import { parseUid } from '../../src/dicom/uid';
import { readRejectionNote as readNote } from '../../src/objects/rejection-note';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { rejectionNote } from '../support/films/rejection-note';

const CR = parseUid('1.2.840.10008.5.1.4.1.1.1');
const STUDY = syntheticUids({ seed: 1, view: 'PA', rows: 64, columns: 64 }).studyInstanceUid;
const readRejectionNote = (bytes: Uint8Array) => readNote(bytes, STUDY);
const film = (seed: number) => ({ ...syntheticUids({ seed, view: 'PA', rows: 64, columns: 64 }), sopClassUid: CR });

test.each([
  ['113001', 'rejected-for-quality'],
  ['113037', 'rejected-for-patient-safety'],
  ['113038', 'incorrect-worklist-entry'],
  ['113039', 'retention-expired'],
])('the title (%s, DCM) rejects: %s', (title, reason) => {
  expect(readRejectionNote(rejectionNote(title, [film(1)]))).toEqual({ reason, rejected: [film(1).sopInstanceUid] });
});

test('of a note on several studies what it names in this one counts, whatever the series', () => {
  const second = { ...film(1), ...{ sopInstanceUid: parseUid('2.25.7'), seriesInstanceUid: parseUid('2.25.8') } };
  const note = rejectionNote('113001', [film(1), film(2), second]);
  expect(readRejectionNote(note)!.rejected).toEqual([film(1).sopInstanceUid, second.sopInstanceUid]);
  expect(readNote(note, film(2).studyInstanceUid)!.rejected).toEqual([film(2).sopInstanceUid]);
  expect(readNote(note, parseUid('2.25.9'))).toEqual({ reason: 'rejected-for-quality', rejected: [] });
});

test('without evidence it is what the content names, however it is nested', () => {
  const image = (uid: string) => ({ ValueType: 'IMAGE', ReferencedSOPSequence: [{ ReferencedSOPInstanceUID: uid }] });
  const note = rejectionNote('113038', [film(1)], {
    more: {
      CurrentRequestedProcedureEvidenceSequence: [],
      ContentSequence: [
        { ValueType: 'TEXT', TextValue: 'wrong patient' },
        { ValueType: 'CONTAINER', ContentSequence: [image(film(1).sopInstanceUid)] },
      ],
    },
  });
  expect(readRejectionNote(note)).toEqual({
    reason: 'incorrect-worklist-entry',
    rejected: [film(1).sopInstanceUid],
  });
});

test('a title with padding is the title, whatever its meaning is called and whatever modifies it', () => {
  const title = { CodeValue: '113037 ', CodingSchemeDesignator: ' DCM', CodeMeaning: 'Zurueckgewiesen' };
  const note = rejectionNote('113001', [film(1)], { more: { ConceptNameCodeSequence: [title] } });
  expect(readRejectionNote(note)!.reason).toBe('rejected-for-patient-safety');
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

test('whatever single byte is wrong, and wherever it ends: read, nothing, or unreadable', () => {
  const note = rejectionNote('113001', [film(1)]);
  const damaged = [...note.keys()].flatMap((at) => {
    const changed = Uint8Array.from(note);
    changed[at] = changed[at]! ^ 0xff;
    return [changed, note.subarray(0, at)];
  });
  const ends = damaged.map((bytes) => {
    try {
      return readRejectionNote(bytes)?.reason ?? 'nothing';
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
  expect([...new Set(ends)].sort()).toEqual(['DICOM_UNREADABLE', 'nothing', 'rejected-for-quality']);
});

test.each<[string, Uint8Array]>([
  ['no DICOM at all', Buffer.from('a note')],
  [
    'nothing named',
    rejectionNote('113001', [film(1)], {
      more: { CurrentRequestedProcedureEvidenceSequence: [], ContentSequence: [] },
    }),
  ],
  [
    'evidence without a UID',
    rejectionNote('113001', [film(1)], {
      more: {
        CurrentRequestedProcedureEvidenceSequence: [{ ReferencedSeriesSequence: [{ ReferencedSOPSequence: [{}] }] }],
        ContentSequence: [],
      },
    }),
  ],
])('%s: unreadable', (_, bytes) => {
  expect(() => readRejectionNote(bytes)).toThrow(expect.objectContaining({ code: 'DICOM_UNREADABLE' }));
});
