import { addressOf, columnsFor, type Filters, filtersOf, filtersOfView, viewOf } from '../../../src/web/pages/address';
import { ListView } from '../../../src/web/api/contract';

const READER = { maySeePatients: true };
const OPERATOR = { maySeePatients: false };
/** The two parts of an address, as a browser takes it apart. */
const at = (address: string) => new URL(address, 'https://list.example/');
const USUAL = filtersOf(at('/'), READER);
const CHOSEN: Filters = {
  search: 'Müller & Söhne #1',
  state: 'failed',
  priority: 'urgent',
  view: 'lateral',
  period: '24',
  order: 'newest',
  work: 'read-today',
  hidden: 'include',
  columns: ['patient', 'arrived'],
};

test('what is usual is in no address, and differs by who asks', () => {
  expect(USUAL).toMatchObject({ work: 'unread', order: 'oldest', search: '', hidden: '' });
  expect(USUAL.columns).toEqual(['priority', 'film', 'patient', 'view', 'waiting', 'open']);
  expect(addressOf(USUAL, READER)).toBe('');
  const operator = filtersOf(at('/'), OPERATOR);
  expect(operator).toMatchObject({ work: 'all', columns: ['priority', 'view', 'waiting'] });
  expect(addressOf(operator, OPERATOR)).toBe('');
});

test('every choice comes back from its address, alone and with all others', () => {
  for (const [name, value] of Object.entries(CHOSEN)) {
    const filters = { ...USUAL, [name]: value as never };
    expect(filtersOf(at(addressOf(filters, READER)), READER)).toEqual(filters);
  }
  expect(filtersOf(at(addressOf(CHOSEN, READER)), READER)).toEqual(CHOSEN);
  const bare = { ...USUAL, columns: [] };
  expect(filtersOf(at(addressOf(bare, READER)), READER)).toEqual(bare);
});

test('what is searched for is in the fragment alone, which a browser sends to no server', () => {
  const { search, hash } = at(addressOf(CHOSEN, READER));
  expect(search).not.toMatch(/M%C3%BCller|ller|search/i);
  expect(decodeURIComponent(hash)).toContain('Müller');
});

test('unknown values in an address are ignored', () => {
  const odd = '/?work=nonsense&state=done%27--&order=&columns=patient,secret&hidden=1&period=-5#main';
  expect(filtersOf(at(odd), READER)).toEqual({ ...USUAL, columns: ['patient'] });
  expect(filtersOf(at(`/#search=${'x'.repeat(500)}`), READER).search).toHaveLength(64);
});

test('to those who may not see patients an address shows no columns of patients and no readings of their own', () => {
  const filters = filtersOf(at('/?work=mine&columns=film,patient,open,arrived'), OPERATOR);
  expect(filters).toMatchObject({ work: 'all', columns: ['arrived'] });
  expect(columnsFor(OPERATOR)).toEqual(['priority', 'view', 'waiting', 'arrived']);
});

test('a view that is saved is what the API takes, and asks for the same again', () => {
  for (const filters of [USUAL, CHOSEN, { ...USUAL, columns: [] }]) {
    const view = ListView.parse(viewOf(filters, READER));
    expect(filtersOfView(view, READER)).toEqual(filters);
  }
  expect(viewOf(USUAL, READER)).toEqual({ order: 'oldest', work: 'unread' });
});
