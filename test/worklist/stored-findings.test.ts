import { findingOfVersion01, readStoredRecord } from '../../src/worklist/stored-findings';
import { COVID, covid } from '../support/records/finding';
import { filmRecord, studyRecord } from '../support/records/study-record';

test('a record of this version comes back as it was stored', () => {
  const record = studyRecord('a');
  expect(readStoredRecord(JSON.stringify(record))).toEqual(record);
});

test('a record of version 0.1 has its one finding from probability, operating point and code', () => {
  const film = { ...filmRecord('a', { probability: 0.9 }), findings: undefined };
  const stored = { ...studyRecord('a'), films: [{ ...film, threshold: 0.4213, finding: COVID.code }] };
  const [read] = readStoredRecord(JSON.stringify(stored)).films;
  expect(read).toMatchObject({ findings: [{ ...covid(0.9), label: COVID.code.meaning }] });
  expect(read).not.toHaveProperty('threshold');
});

test('a film of version 0.1 that was not analysed has none', () => {
  const film = { ...filmRecord('a', { outcome: 'not-analysed', probability: null }), findings: undefined };
  const stored = { ...studyRecord('a'), films: [{ ...film, threshold: null, finding: null }] };
  expect(readStoredRecord(JSON.stringify(stored)).films[0]!.findings).toEqual([]);
});

test('a row of version 0.1 does not say what its probability is of', () => {
  expect(findingOfVersion01(0.9, 0.5, null)).toMatchObject([
    { label: 'the positive class', code: { value: '' }, atOrAbove: true, priority: 'urgent' },
  ]);
});
