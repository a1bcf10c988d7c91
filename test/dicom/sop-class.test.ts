import { isNoImageClass } from '../../src/dicom/sop-class';

const STORAGE = '1.2.840.10008.5.1.4.1.1.';

test.each([
  ...['11.1', '11.8', '88.11', '88.33', '88.59', '88.67', '104.1', '104.2', '66', '66.1', '66.4', '66.5', '67', '68.1'],
  ...[
    '9.1.1',
    '9.4.1',
    '4.2',
    '30',
    '481.3',
    '481.5',
    '481.10',
    '78.1',
    '80.1',
    '90.1',
    '91.1',
    '131',
    '200.1',
    '77.1.5.3',
  ],
])(`${STORAGE}%s is no image`, (leaf) => {
  expect(isNoImageClass(STORAGE + leaf)).toBe(true);
});

test.each(['1.2.840.10008.5.1.4.38.1', '1.2.840.10008.5.1.4.39.1', '1.3.12.2.1107.5.9.1'])('%s is no image', (uid) => {
  expect(isNoImageClass(uid)).toBe(true);
});

test.each([
  '1',
  '1.1',
  '1.1.1',
  '7',
  '7.1',
  '7.4',
  '2',
  '4',
  '6.1',
  '12.1',
  '13.1.3',
  '77.1.4',
  '81.1',
  '481.1',
  '128',
])(`${STORAGE}%s may be one`, (leaf) => {
  expect(isNoImageClass(STORAGE + leaf)).toBe(false);
});

test('an unknown class may be one', () => {
  expect(isNoImageClass('1.2.3')).toBe(false);
  expect(isNoImageClass('')).toBe(false);
});
