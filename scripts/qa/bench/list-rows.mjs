/**
 * A reading list of a hospital as rows of `study`: most are done, some failed or wait, few are judged; they came over
 * fourteen months, 8 % of them urgent. The same list for the same count.
 */
const MONTHS_MS = 14 * 30 * 86_400_000;
const DESCRIPTIONS = ['thorax pa', 'thorax pa und seitlich', 'thorax liegend', 'chest 2 views', 'chest portable'];
const GIVEN = 400;
const FAMILIES = 3_000;
const PATIENTS = 40_000;

/** mulberry32: the same numbers in each run. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A pronounceable word for a number. */
function word(number, syllables) {
  const parts = [];
  for (let rest = number * 7 + 11, i = 0; i < syllables; i++, rest = Math.floor(rest / 5) + number)
    parts.push('bdfghklmnprstvz'.charAt(rest % 15) + 'aeiou'.charAt(rest % 5));
  return parts.join('');
}

/** By share, in order: [['done', 0.9], ['failed', 0.1]]. */
function drawn(shares, share) {
  let sum = 0;
  return (shares.find(([, part]) => (sum += part) > share) ?? shares[0])[0];
}

const STATES = [
  ['done', 0.945],
  ['not-analysed', 0.045],
  ['failed', 0.01],
];
const VIEWS = [
  ['frontal', 0.85],
  ['frontal,lateral', 0.1],
  ['lateral', 0.05],
];
const VERDICTS = [
  ['agree', 0.025],
  ['disagree', 0.004],
  ['unusable', 0.0005],
];

/**
 * @param {number} count
 * @param {number} now milliseconds since 1970: the last one came then
 * @param {string} record JSON of a result, for each row that has one
 */
export function* listRows(count, now, record) {
  const next = random(16);
  for (let i = 0; i < count; i++) {
    const arrivedAt = Math.round(now - MONTHS_MS * (1 - (i + 1) / count));
    const state = i >= count - 40 ? 'waiting' : drawn(STATES, next());
    const hasResult = state === 'done' || state === 'not-analysed';
    const study = `1.2.826.0.1.3680043.8.498.${Math.floor(next() * 1e15)}${Math.floor(next() * 1e15)}`;
    const [family, given] = [word(Math.floor(FAMILIES * next() ** 2), 3), word(Math.floor(GIVEN * next()), 2)];
    const patient = `p${1_000_000 + Math.floor(PATIENTS * next())}`;
    const accession = `a${new Date(arrivedAt).getUTCFullYear()}${String(i).padStart(7, '0')}`;
    const description = DESCRIPTIONS[Math.floor(DESCRIPTIONS.length * next())];
    const isUrgent = next() < 0.08;
    const verdictShare = next();
    const verdict = state === 'done' && verdictShare < 0.0295 ? drawn(VERDICTS, verdictShare) : null;
    yield {
      study_uid: study,
      state,
      reason: state === 'failed' ? 'ARCHIVE_TIMEOUT' : null,
      urgency: isUrgent ? 0 : 1,
      finding_priority: hasResult ? (isUrgent ? 'urgent' : 'routine') : null,
      arrived_at: arrivedAt,
      completed_at: hasResult ? arrivedAt + 30_000 : null,
      record_key: hasResult ? `2.25.${i}` : null,
      record: hasResult ? record : null,
      views: state === 'done' ? drawn(VIEWS, next()) : '',
      films: hasResult ? 1 : 0,
      patient_id: patient,
      patient_name: `${family}^${given}`,
      accession_number: accession,
      study_description: description,
      search_patient: `${family} ${given} ${patient} ${accession} ${description}`,
      search_study: study,
      verdict,
      verdict_key: verdict === null ? null : `2.25.${i}`,
      change: i + 1,
    };
  }
}
