import { leadOf } from '../../src/worklist/record-columns';
import { filmRecord } from '../support/records/study-record';

const NOTHING = { probability: null, findings: [], outputs: [] } as const;
const hand = filmRecord('hand', { ...NOTHING, outcome: 'rejected', reason: 'body-part' });
const lateral = filmRecord('lateral', { ...NOTHING, outcome: 'not-analysed', reason: 'lateral-view' });

test('a chest film stands for its study where no film has a result, whatever else is in it', () => {
  expect(leadOf([hand, lateral])).toBe(lateral);
  expect(leadOf([hand])).toBe(hand);
  expect(leadOf([])).toBeUndefined();
});
