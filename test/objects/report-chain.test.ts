import { parseUid } from '../../src/dicom/uid';
import { chainOf } from '../../src/objects/report-chain';

const uid = (last: number) => parseUid(`1.2.${last}`);
const report = (last: number, predecessors: readonly number[] = [], contentAt = 0) => ({
  sopInstanceUid: uid(last),
  predecessors: predecessors.map(uid),
  contentAt,
});
const inEffect = (...reports: ReturnType<typeof report>[]) => chainOf(reports)?.inEffect.sopInstanceUid;

test('the report that no other names is in effect, whatever the clocks say', () => {
  expect(inEffect(report(1, [], 9_000), report(2, [1], 1_000))).toBe(uid(2));
  expect(inEffect(report(3, [2], 1), report(1, [], 3), report(2, [1], 2))).toBe(uid(3));
});

test('without a report there is no chain', () => {
  expect(chainOf([])).toBeNull();
});

test('of several that no other names, the one with the longer history counts, then the later, then the UID', () => {
  expect(inEffect(report(1, [], 9), report(2, [], 8), report(3, [2], 1))).toBe(uid(3));
  expect(inEffect(report(1, [], 1), report(2, [], 2))).toBe(uid(2));
  expect(inEffect(report(2, [], 1), report(1, [], 1))).toBe(uid(1));
});

test('all earlier ones are known, those that were deleted and those beside it too', () => {
  const chain = chainOf([report(4, [3]), report(1), report(3, [2])])!;
  expect(chain.inEffect.sopInstanceUid).toBe(uid(4));
  expect(chain.superseded).toEqual([uid(1), uid(2), uid(3)]);
  expect(chain.heads.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([uid(4), uid(1)]);
});

test('a circle, which nobody can write, ends', () => {
  expect(inEffect(report(1, [2]), report(2, [1]))).toBe(uid(1));
});
