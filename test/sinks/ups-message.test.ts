import { parseUid } from '../../src/dicom/uid';
import {
  laterWorkitemUid,
  newWorkitem,
  performedWorkitem,
  raisedPriority,
  readWorkitem,
  stateChange,
  listsOutputsOf,
  transactionUid,
  upsPriority,
  workitemUid,
} from '../../src/sinks/ups/message';
import { COMPLETED_NEEDS, CREATE_EMPTY, CREATE_TYPE_1, CREATE_TYPE_2 } from '../support/receivers/ups-server';
import { RECORD } from '../support/records/result-record';

const SETTINGS = {
  worklistLabel: 'Chest',
  routinePriority: 'MEDIUM',
  retrieveUrl: 'http://archive/dicom-web/',
} as const;

test.each([
  ['urgent', 'MEDIUM', 'HIGH'],
  ['urgent', 'LOW', 'HIGH'],
  ['routine', 'MEDIUM', 'MEDIUM'],
  ['routine', 'LOW', 'LOW'],
  [null, 'LOW', 'MEDIUM'],
] as const)('a result of priority %s at a site with routine %s is %s', (priority, routinePriority, expected) =>
  expect(upsPriority({ priority }, { routinePriority })).toBe(expected),
);

test.each([
  ['LOW', 'MEDIUM', 'MEDIUM'],
  ['MEDIUM', 'HIGH', 'HIGH'],
  ['HIGH', 'HIGH', null],
  ['HIGH', 'MEDIUM', null],
  ['MEDIUM', 'LOW', null],
  [null, 'HIGH', null],
] as const)('%s is raised by %s to %s, never lowered', (there, ours, expected) =>
  expect(raisedPriority(there, ours)).toBe(expected),
);

test('a new workitem has every attribute of type 1 and 2, and the empty ones empty', () => {
  const item = newWorkitem(RECORD, SETTINGS);
  for (const tag of CREATE_TYPE_1) expect([tag, item[tag]?.Value]).toEqual([tag, [expect.anything()]]);
  expect([...CREATE_TYPE_2, ...CREATE_EMPTY].filter((tag) => item[tag] === undefined)).toEqual([]);
  for (const tag of CREATE_EMPTY) expect(item[tag]).not.toHaveProperty('Value');
  expect(Object.keys(item)).toEqual(Object.keys(item).sort());
  expect(item).toMatchObject({
    '00100010': { vr: 'PN', Value: [{ Alphabetic: RECORD.patient.PatientName.split('=')[0] }] },
    '00404018': {
      Value: [
        {
          '00080100': { Value: ['110004'] },
          '00080102': { Value: ['DCM'] },
          '00080104': { Value: ['Computer Aided Detection'] },
        },
      ],
    },
    '00404005': { vr: 'DT', Value: ['20260301101542.000+0000'] },
    '0040A370': {
      Value: [
        { '00080050': { Value: [RECORD.order.AccessionNumber] }, '0020000D': { Value: [RECORD.studyInstanceUid] } },
      ],
    },
    '00741200': { Value: ['HIGH'] },
    '00741202': { Value: ['Chest'] },
  });
});

test('films are named by series with the address to retrieve them; without a known series, left out', () => {
  const series = newWorkitem(RECORD, SETTINGS)['00404021']?.Value as Record<string, { Value: unknown[] }>[];
  const known = RECORD.films.filter(
    ({ seriesInstanceUid, sopClassUid }) => seriesInstanceUid !== null && sopClassUid !== null,
  );
  expect(known.length).toBeGreaterThan(0);
  expect(
    series.flatMap((one) =>
      (one['00081199']!.Value as Record<string, { Value: string[] }>[]).map((item) => item['00081155']!.Value[0]),
    ),
  ).toEqual(known.map(({ sopInstanceUid }) => sopInstanceUid));
  expect(series[0]).toMatchObject({
    '0040E025': {
      Value: [
        {
          '00081190': {
            vr: 'UR',
            Value: [
              `http://archive/dicom-web/studies/${RECORD.studyInstanceUid}/series/${known[0]!.seriesInstanceUid}`,
            ],
          },
        },
      ],
    },
  });
});

test('the performed procedure has what the final state needs, and names each output', () => {
  const changes = performedWorkitem(RECORD, SETTINGS, parseUid('2.25.1'), null);
  const [performed] = changes['00741216']!.Value as Record<string, { Value?: unknown[] }>[];
  expect(COMPLETED_NEEDS.filter((tag) => (performed![tag]?.Value ?? []).length === 0)).toEqual([]);
  expect(changes).not.toHaveProperty('00741200');
  expect(changes).not.toHaveProperty('00741000');
  const told = readWorkitem({ ...changes, '00741000': { vr: 'CS', Value: ['COMPLETED'] } })!;
  expect([...told.outputs].sort()).toEqual(
    RECORD.films.flatMap(({ outputs }) => outputs.map(({ sopInstanceUid }) => sopInstanceUid)).sort(),
  );
  expect(listsOutputsOf(told, RECORD)).toBe(true);
  expect(listsOutputsOf({ outputs: told.outputs.slice(1) }, RECORD)).toBe(false);
  expect(performedWorkitem(RECORD, SETTINGS, parseUid('2.25.1'), 'HIGH')['00741200']).toEqual({
    vr: 'CS',
    Value: ['HIGH'],
  });
});

test('UIDs: one workitem per study, another per later result, one lock per workitem', () => {
  const other = { ...RECORD, key: parseUid('2.25.99') };
  expect(workitemUid(other)).toBe(workitemUid(RECORD));
  expect(laterWorkitemUid(other)).not.toBe(laterWorkitemUid(RECORD));
  expect(transactionUid(workitemUid(RECORD))).toBe(transactionUid(workitemUid(other)));
  expect(
    new Set([
      workitemUid(RECORD),
      laterWorkitemUid(RECORD),
      transactionUid(workitemUid(RECORD)),
      workitemUid({ studyInstanceUid: parseUid('1.2.3') }),
    ]).size,
  ).toBe(4);
});

test('a state change has the lock and the state, no more', () => {
  expect(stateChange(parseUid('2.25.7'), 'IN PROGRESS')).toEqual({
    '00081195': { vr: 'UI', Value: ['2.25.7'] },
    '00741000': { vr: 'CS', Value: ['IN PROGRESS'] },
  });
});

test.each([
  [undefined],
  [null],
  [{}],
  [[]],
  ['x'],
  [{ '00741000': { vr: 'CS', Value: ['WHAT'] } }],
  [{ '00741000': 1 }],
])('%j is no workitem', (item) => expect(readWorkitem(item)).toBeUndefined());
