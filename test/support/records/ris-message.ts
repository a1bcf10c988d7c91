/** A message of a RIS: segments by their fields, from 1. What is not named is left out. */
export type Fields = Readonly<Record<number, string>>;

const segment = (name: string, fields: Fields) => {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, i) => fields[i + 1] ?? '')].join('|');
};

let count = 0;

/** With a control ID of its own unless `header` has one (MSH-10). Numbers of MSH are those of the Standard. */
export function risMessage(type: string, header: Fields, ...segments: readonly (readonly [string, Fields])[]): string {
  const fields: Record<number, string> = {
    3: 'RIS',
    4: 'HOSP',
    5: 'HILUM',
    7: '20260302120000',
    9: type,
    10: `M${++count}`,
    11: 'P',
    12: '2.5.1',
    18: 'UNICODE UTF-8',
    ...header,
  };
  const shifted = Object.fromEntries(Object.entries(fields).map(([number, value]) => [Number(number) - 1, value]));
  return [segment('MSH', { ...shifted, 1: '^~\\&' }), ...segments.map(([name, own]) => segment(name, own))]
    .map((line) => `${line}\r`)
    .join('');
}

export const PID = (id: string, more: Fields = {}) => ['PID', { 1: '1', 3: `${id}^^^HOSP`, ...more }] as const;

/** A report; final unless `more` says otherwise. */
export const report = (accession: string, patient = '', more: Fields = {}, header: Fields = {}) =>
  risMessage(
    'ORU^R01^ORU_R01',
    header,
    ...(patient === '' ? [] : [PID(patient)]),
    ['ORC', { 1: 'RE' }],
    ['OBR', { 1: '1', 18: accession, 22: '20260302110000', 25: 'F', ...more }],
    ['OBX', { 1: '1', 2: 'TX', 3: '18782-3^^LN', 5: 'Clear lungs', 11: 'F' }],
  );

/** An order with this priority in ORC-7.6. */
export const order = (accession: string, priority: string, patient = '', header: Fields = {}, control = 'NW') =>
  risMessage(
    'ORM^O01',
    header,
    ...(patient === '' ? [] : [PID(patient)]),
    ['ORC', { 1: control, 7: `^^^^^${priority}` }],
    ['OBR', { 1: '1', 18: accession }],
  );
