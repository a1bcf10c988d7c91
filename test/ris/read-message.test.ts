import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMessage } from '../../src/hl7/message';
import { risSchema } from '../../src/ris/config';
import { isOurs, MESSAGE_TYPES, messageTypeOf, readRisMessage, sentAt } from '../../src/ris/read-message';
import { type Fields, order, PID, report, risMessage } from '../support/records/ris-message';

const NOW = Date.parse('2026-03-02T12:00:00.000Z');
const parse = (text: string) => readMessage(Buffer.from(text));
const settings = (more: object = {}) => ({ ...risSchema.parse(more), timeZone: 'Europe/Berlin' });
const read = (text: string, more: object = {}) => {
  const message = parse(text);
  return readRisMessage(messageTypeOf(message)!, message, settings(more), NOW);
};
const changes = (text: string, more: object = {}) => {
  const reading = read(text, more);
  if ('problem' in reading) throw new Error(reading.problem.text);
  return reading.changes;
};
const JANE = { id: 'P1', issuers: ['HOSP'] };

describe('reports', () => {
  test.each([
    ['F', 1],
    ['C', 1],
    ['P', 0],
    ['I', 0],
    ['R', 0],
    ['S', 0],
    ['A', 0],
    ['X', 0],
    ['O', 0],
    ['', 0],
    ['f', 0],
  ])('of status %j: %i is final', (status, count) => {
    expect(changes(report('A1', 'P1', { 25: status }))).toHaveLength(count);
  });

  test.each<[string, Fields, string]>([
    ['OBR-22', { 22: '20260302113000' }, '2026-03-02T10:30:00.000Z'],
    ['OBR-22 with an offset', { 22: '20260302113000+0000' }, '2026-03-02T11:30:00.000Z'],
    ['MSH-7, as OBR-22 has no time', { 22: '20260302' }, '2026-03-02T11:00:00.000Z'],
    ['now, where it is later', { 22: '20360302113000' }, '2026-03-02T12:00:00.000Z'],
  ])('read at %s', (_what, fields, at) => {
    expect(changes(report('A1', 'P1', fields))).toEqual([
      expect.objectContaining({
        kind: 'final-report',
        order: { accessionNumber: 'A1', patient: [JANE] },
        readAt: Date.parse(at),
      }),
    ]);
  });

  test('read at the last OBX-14 where OBR-22 is empty; on the wall clock of the site', () => {
    const text = risMessage(
      'ORU^R01',
      {},
      ['OBR', { 18: 'A1', 25: 'F' }],
      ['OBX', { 14: '20260302090000' }],
      ['OBX', { 14: '20260302100000' }],
      ['OBX', {}],
    );
    expect(changes(text)).toEqual([
      expect.objectContaining({
        readAt: Date.parse('2026-03-02T09:00:00.000Z'),
        readOnWallClock: '20260302100000',
        order: { accessionNumber: 'A1', patient: [] },
      }),
    ]);
  });

  test('several in one message: each by itself, those without an accession number left out', () => {
    const obr = (accession: string, status: string) => ['OBR', { 18: accession, 25: status }] as const;
    const text = risMessage(
      'ORU^R01',
      {},
      PID('P1'),
      obr('A1', 'F'),
      obr('A2', 'P'),
      ['ORC', {}],
      obr('', 'F'),
      obr('A4', 'C'),
    );
    expect(changes(text).map((change) => ('order' in change ? change.order.accessionNumber : ''))).toEqual([
      'A1',
      'A4',
    ]);
  });
});

describe('accession numbers', () => {
  const oru = (orc: Fields, obr: Fields, ipc?: Fields) =>
    risMessage('ORU^R01', {}, ['ORC', orc], ['OBR', { 25: 'F', ...obr }], ...(ipc ? [['IPC', ipc] as const] : []));
  const accession = (text: string, field: string) => {
    const [change] = changes(text, { accession: field });
    return change !== undefined && 'order' in change ? change.order.accessionNumber : undefined;
  };

  test.each([
    ['OBR-18', {}, { 18: 'A1', 3: 'F1', 2: 'P1' }, 'A1'],
    ['OBR-3', {}, { 18: 'A1', 3: 'F1^RIS', 2: 'P1' }, 'F1'],
    ['OBR-2', {}, { 18: 'A1', 3: 'F1', 2: 'P1' }, 'P1'],
    ['OBR-3', { 3: 'F1' }, { 18: 'A1' }, 'F1'],
    ['OBR-2', { 2: 'P1' }, { 18: 'A1' }, 'P1'],
    ['OBR-18', {}, { 18: 'A\\T\\1' }, 'A&1'],
  ])('%s', (field, orc, obr, expected) => expect(accession(oru(orc, obr), field)).toBe(expected));

  test('IPC-1 goes before them', () => {
    expect(accession(oru({}, { 18: 'A1' }, { 1: 'IPC1^RIS' }), 'OBR-18')).toBe('IPC1');
  });

  test.each([[''], ['""']])('none (%j) is a problem, which names the setting', (value) => {
    expect(read(oru({}, { 18: value }))).toEqual({
      problem: { error: 'required', text: 'no accession number in OBR-18 (ris.accession), nor in IPC-1' },
    });
  });
});

describe('orders', () => {
  const priorityOf = (text: string, more: object = {}) => {
    const found = changes(text, more);
    return found.length === 0 ? 'nothing' : found.map((change) => 'priority' in change && change.priority)[0];
  };
  const oml = (orc: Fields, obr: Fields = {}, tq1: Fields[] = [], type = 'OMI^O23') =>
    risMessage(type, {}, PID('P1'), ['ORC', orc], ...tq1.map((f) => ['TQ1', f] as const), [
      'OBR',
      { 18: 'A1', ...obr },
    ]);

  test.each([
    ['S', 'urgent'],
    ['STAT', 'urgent'],
    ['stat', 'urgent'],
    ['A', 'urgent'],
    ['R', 'routine'],
    ['P', 'routine'],
    ['T', 'routine'],
    ['anything', 'routine'],
    ['', 'nothing'],
    ['""', null],
  ])('priority %j is %s', (code, expected) => expect(priorityOf(order('A1', code))).toBe(expected));

  test.each([
    ['TQ1-9', oml({ 1: 'NW' }, {}, [{ 9: 'S^Stat^HL70485' }]), 'urgent'],
    ['OBR-27.6', oml({ 1: 'NW' }, { 27: '^^^^^S' }), 'urgent'],
    ['the highest of all', oml({ 1: 'NW', 7: '^^^^^R' }, { 27: '^^^^^R' }, [{ 9: 'R' }, { 9: 'A' }]), 'urgent'],
    ['OMG^O19', oml({ 1: 'XO', 7: '^^^^^S' }, {}, [], 'OMG^O19'), 'urgent'],
    ['HL7 v2.2 without an event', oml({ 1: 'NW', 7: '^^^^^S' }, {}, [], 'ORM'), 'urgent'],
  ])('by %s', (_what, text, expected) => expect(priorityOf(text)).toBe(expected));

  test.each<[string, (readonly [string, string, string])[], (readonly [string, string | null])[]]>([
    [
      'R, then S',
      [
        ['A1', 'NW', 'R'],
        ['A1', 'NW', 'S'],
      ],
      [['A1', 'urgent']],
    ],
    [
      'S, then R',
      [
        ['A1', 'NW', 'S'],
        ['A1', 'NW', 'R'],
      ],
      [['A1', 'urgent']],
    ],
    [
      'R, then one that is taken back',
      [
        ['A1', 'NW', 'R'],
        ['A1', 'CA', 'S'],
      ],
      [['A1', 'routine']],
    ],
    [
      'all taken back',
      [
        ['A1', 'CA', 'S'],
        ['A1', 'CA', 'R'],
      ],
      [['A1', null]],
    ],
    [
      'of several accession numbers',
      [
        ['A1', 'NW', 'R'],
        ['A2', 'NW', 'R'],
        ['A1', 'NW', 'S'],
      ],
      [
        ['A1', 'urgent'],
        ['A2', 'routine'],
      ],
    ],
  ])('orders of one accession number in a message are one: %s', (_what, sent, expected) => {
    const orders = sent.flatMap(([accession, control, code]) => [
      ['ORC', { 1: control, 7: `^^^^^${code}` }] as const,
      ['OBR', { 18: accession }] as const,
    ]);
    const found = changes(risMessage('ORM^O01', {}, PID('P1'), ...orders));
    expect(found.map((one) => 'priority' in one && [one.order.accessionNumber, one.priority])).toEqual(expected);
  });

  test('which codes are urgent is a setting', () => {
    expect(priorityOf(order('A1', 'P'), { urgentPriorities: ['p'] })).toBe('urgent');
    expect(priorityOf(order('A1', 'S'), { urgentPriorities: [] })).toBe('routine');
  });

  test.each(['CA', 'DC', 'OC', 'OD', 'CR', 'DR'])('ORC-1 %s takes it back', (control) => {
    expect(priorityOf(order('A1', 'S', '', {}, control))).toBeNull();
  });

  test('ORC-5 CA takes it back', () => expect(priorityOf(oml({ 1: 'SC', 5: 'CA' }))).toBeNull());

  test('the patient does not count where the site says so; otherwise a patient of any authority counts', () => {
    const of = (more: object) => changes(order('A1', 'S', 'P1'), more).map((c) => 'order' in c && c.order.patient)[0];
    expect(of({})).toEqual([JANE]);
    expect(of({ matchPatient: false })).toEqual([]);
    expect(of({ assigningAuthorities: ['OTHER'] })).toEqual([JANE]);
  });
});

describe('patients', () => {
  const a08 = (pid: Fields) => changes(risMessage('ADT^A08', {}, ['EVN', {}], PID('P1', pid)));
  const said = (pid: Fields) => a08(pid).map((change) => ('demographics' in change ? change.demographics : {}))[0];

  test.each<[string, Fields, object | undefined]>([
    [
      'name, birth date and sex',
      { 5: 'Doe^Jane^M^Jr^Dr', 7: '19500203', 8: 'F' },
      { PatientName: 'Doe^Jane^M^Dr^Jr', PatientBirthDate: '19500203', PatientSex: 'F' },
    ],
    ['what is empty stays', { 5: '', 7: '', 8: '' }, undefined],
    ['what is deleted', { 5: '""', 7: '""', 8: '""' }, { PatientName: '', PatientBirthDate: '', PatientSex: '' }],
    ['a birth date with a time, an unknown sex', { 7: '195002031200', 8: 'U' }, { PatientBirthDate: '19500203' }],
    ['a year alone', { 7: '1950' }, undefined],
    ['ambiguous', { 8: 'a' }, { PatientSex: 'O' }],
    ['a name of own and married parts', { 5: 'Berg&van den^Ute' }, { PatientName: 'Berg^Ute' }],
    ['the legal one of several', { 5: 'Alias^X^^^^^A~Doe^Jane^^^^^L~Maid^Jane^^^^^M' }, { PatientName: 'Doe^Jane' }],
    [
      'three scripts',
      { 5: 'Yamada^Tarou^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P' },
      { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' },
    ],
    ['delimiters of DICOM in a name', { 5: 'D\\S\\o=e\\E\\^J' }, { PatientName: 'D o e ^J' }],
  ])('%s', (_what, pid, expected) => expect(said(pid)).toEqual(expected));

  test('merged: MRG-1 into PID-3, pair by pair; an identifier that stays is not merged', () => {
    const text = risMessage(
      'ADT^A40^ADT_A39',
      {},
      PID('P1', { 5: 'Doe^Jane' }),
      ['MRG', { 1: 'OLD^^^HOSP~P1^^^HOSP' }],
      PID('P2'),
      ['MRG', { 1: 'OLD2^^^HOSP&1.2.3&ISO' }],
    );
    expect(changes(text)).toEqual([
      {
        kind: 'merge',
        prior: [{ id: 'OLD', issuers: ['HOSP'] }],
        patient: [JANE],
        demographics: { PatientName: 'Doe^Jane' },
      },
      {
        kind: 'merge',
        prior: [{ id: 'OLD2', issuers: ['HOSP', '1.2.3'] }],
        patient: [{ id: 'P2', issuers: ['HOSP'] }],
        demographics: {},
      },
    ]);
  });

  test('a patient of an authority that does not count is not corrected', () => {
    const text = risMessage('ADT^A08', {}, PID('P1', { 5: 'Doe^J' }));
    expect(read(text, { assigningAuthorities: ['OTHER'] })).toMatchObject({ problem: { error: 'required' } });
    expect(changes(text, { assigningAuthorities: ['HOSP'] })).toHaveLength(1);
  });

  test.each([
    ['no PID', risMessage('ADT^A08', {}), 'sequence'],
    ['no identifier', risMessage('ADT^A08', {}, ['PID', { 3: '^^^HOSP', 5: 'Doe^J' }]), 'required'],
    ['no MRG', risMessage('ADT^A40', {}, PID('P1')), 'sequence'],
    ['MRG before PID', risMessage('ADT^A40', {}, ['MRG', { 1: 'OLD' }]), 'sequence'],
    ['characters of another set', risMessage('ADT^A08', {}, PID('P1', { 5: 'M\\XFC\\ller' })), 'dataType'],
  ])('a problem: %s', (_what, text, error) => {
    expect(read(text)).toMatchObject({ problem: { error } });
  });
});

test('types that are taken, and no other', () => {
  const typeOf = (type: string) => messageTypeOf(parse(risMessage(type, {}, ['EVN', { 1: 'A08' }])));
  for (const type of MESSAGE_TYPES) expect(typeOf(type)).toBe(type);
  expect(typeOf('ADT')).toBe('ADT^A08');
  for (const type of ['ADT^A01', 'SIU^S12', 'ORU^R30', 'MDM^T02', '', 'ACK']) expect(typeOf(type)).toBeUndefined();
});

test('docs/ris.md lists the types and no other', () => {
  const page = readFileSync(join(__dirname, '../../docs/ris.md'), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith('What is taken'))!;
  expect([...section.matchAll(/^\| `([A-Z]{3}\^\w{3})` \|/gm)].map((match) => match[1])).toEqual([...MESSAGE_TYPES]);
});

test('a result of Hilum that comes back is told by its sender, and by its coding system whoever sends it', () => {
  const own = (header: Fields, concept: string) =>
    isOurs(parse(risMessage('ORU^R01', header, ['OBR', { 18: 'A1', 25: 'C' }], ['OBX', { 3: concept }])), ['HILUM']);
  expect(own({ 3: 'HILUM^1.2^ISO' }, '18782-3^^LN')).toBe(true);
  expect(own({ 3: 'ENGINE' }, 'priority^Priority^99HILUM')).toBe(true);
  expect(own({ 3: 'ENGINE' }, 'x^y^LN^priority^Priority^99HILUM')).toBe(true);
  expect(own({ 3: 'RIS' }, '18782-3^^LN')).toBe(false);
});

test('sent at MSH-7, at the latest now', () => {
  const at = (time: string) => sentAt(parse(risMessage('ADT^A08', { 7: time })), settings(), NOW);
  expect(at('20260302100000')).toBe(Date.parse('2026-03-02T09:00:00.000Z'));
  expect([at('20990101000000'), at(''), at('20260302')]).toEqual([NOW, NOW, NOW]);
});

test('the examples of docs/ris.md are read as that page says', () => {
  const page = readFileSync(join(__dirname, '../../docs/ris.md'), 'utf8').split(/^## /m);
  const examples = page.find((text) => text.startsWith('Examples'))!.match(/(?: {4}.+\n)+/g)!;
  const said = examples.map((text) => changes(text.replaceAll(/^ {4}/gm, '')));
  const order = { accessionNumber: 'A2026-1', patient: [{ id: 'P77', issuers: ['HOSP'] }] };
  expect(said).toEqual([
    [expect.objectContaining({ kind: 'final-report', order, readOnWallClock: '20260302110000' })],
    [{ kind: 'order-priority', order, priority: 'urgent' }],
    [expect.objectContaining({ kind: 'merge', prior: [{ id: 'P12', issuers: ['HOSP'] }], patient: order.patient })],
  ]);
});
