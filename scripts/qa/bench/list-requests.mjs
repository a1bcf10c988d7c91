/**
 * What is asked of the list: every filter alone and some together, rare and common searches, with rows at the
 * beginning and at the end of either order.
 */
const HOUR_MS = 3_600_000;

const filtersOf = (now) => ({
  'no filter': {},
  'state waiting': { states: ['waiting'] },
  'state analysing': { states: ['analysing'] },
  'state done': { states: ['done'] },
  'state not-analysed': { states: ['not-analysed'] },
  'state failed': { states: ['failed'] },
  'priority urgent': { priority: 'urgent' },
  'priority routine': { priority: 'routine' },
  'view frontal': { view: 'frontal' },
  'view lateral': { view: 'lateral' },
  'verdict none': { verdict: 'none' },
  'verdict agree': { verdict: 'agree' },
  'verdict disagree': { verdict: 'disagree' },
  'verdict unusable': { verdict: 'unusable' },
  'last hour': { arrivedFrom: now - HOUR_MS },
  'last day': { arrivedFrom: now - 24 * HOUR_MS },
  'last week': { arrivedFrom: now - 168 * HOUR_MS },
  'before last year': { arrivedBefore: now - 400 * 24 * HOUR_MS },
  'failed, urgent, last week': { states: ['failed'], priority: 'urgent', arrivedFrom: now - 168 * HOUR_MS },
  'done, lateral, disagree': { states: ['done'], view: 'lateral', verdict: 'disagree' },
  'done, frontal, routine, none': { states: ['done'], view: 'frontal', priority: 'routine', verdict: 'none' },
  'not-analysed, agree': { states: ['not-analysed'], verdict: 'agree' },
  'waiting or failed, urgent': { states: ['waiting', 'failed'], priority: 'urgent' },
});

/** By one row of the list, so that what is looked for is there. */
const searchesOf = ({ study_uid: study, patient_name: name, patient_id: patient, accession_number: accession }) => ({
  'in no row': 'qqzx',
  'in every row': '1.2.826',
  'in half of the rows': 'thorax',
  'a family name': name.split('^')[0],
  'family and given name': name.replace('^', ' '),
  'a patient ID': patient,
  'an accession number': accession,
  'the accession numbers of the oldest year': accession.slice(0, 5),
  'a Study Instance UID': study,
  'the beginning of all UIDs': '1.2.826.0.1.3680043.8.498.',
  'the beginning of a UID': study.slice(0, 31),
  'three common words': 'thorax pa seitlich',
  'three letters': name.slice(0, 3),
  'one common, one rare word': `thorax ${name.split('^')[0]}`,
  'two common words that never meet': 'liegend portable',
  'odd characters': `"or" %_\\ 'x*`,
  'two letters': name.slice(0, 2),
  'one letter': name.slice(0, 1),
});

const combinedOf = (searches) => ({
  'in every row, and failed': [searches['in every row'], { states: ['failed'] }],
  'in half of the rows, and disagree': [searches['in half of the rows'], { verdict: 'disagree' }],
  'oldest year, and lateral': [
    searches['the accession numbers of the oldest year'],
    { view: 'lateral', priority: 'routine' },
  ],
  'a family name, and urgent': [searches['a family name'], { priority: 'urgent' }],
});

/** @returns {{name: string, group: string, selection: object}[]} */
export function listSelections(row, now) {
  const searches = searchesOf(row);
  const of = (group, searchPatient, entries) =>
    entries.map(([name, search, filters]) => ({ group, name, selection: { search, filters, searchPatient } }));
  return [
    ...of(
      'filter',
      true,
      Object.entries(filtersOf(now)).map(([name, filters]) => [name, '', filters]),
    ),
    ...of(
      'search',
      true,
      Object.entries(searches).map(([name, search]) => [name, search, {}]),
    ),
    ...of(
      'search without patients',
      false,
      Object.entries(searches).map(([name, search]) => [name, search, {}]),
    ),
    ...of(
      'search with filter',
      true,
      Object.entries(combinedOf(searches)).map(([name, both]) => [name, ...both]),
    ),
  ];
}
