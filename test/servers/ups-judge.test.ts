import { spawnSync } from 'node:child_process';
import { parseUid } from '../../src/dicom/uid';
import { newWorkitem, performedWorkitem, stateChange } from '../../src/sinks/ups/message';
import { RECORD } from '../support/records/result-record';

const SETTINGS = {
  worklistLabel: 'Chest',
  routinePriority: 'MEDIUM',
  retrieveUrl: 'http://archive/dicom-web',
} as const;

test('pydicom reads the messages, and every attribute has the VR of the dictionary', () => {
  const sets = [
    newWorkitem(RECORD, SETTINGS),
    performedWorkitem(RECORD, SETTINGS, parseUid('2.25.1'), 'HIGH'),
    stateChange(parseUid('2.25.1'), 'COMPLETED'),
  ];
  const script = `
import json, sys
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
def look(ds):
    for e in ds:
        if dictionary_VR(e.tag) != e.VR: print('VR', e.tag, e.VR)
        if e.VR == 'SQ':
            for item in e.value: look(item)
for one in json.load(sys.stdin):
    ds = Dataset.from_json(json.dumps(one)); look(ds); print(len(ds))
`;
  const run = spawnSync('/usr/bin/python3', ['-c', script], { input: JSON.stringify(sets), encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout.trim().split('\n')).toEqual(sets.map((set) => String(Object.keys(set).length)));
});
