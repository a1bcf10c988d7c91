/** The demo's report in words. */
'use strict';

/** Of files that were not stored for one reason, how many are named. */
const NAMED = 5;
/** Characters of a file's name. */
const MAX_NAME = 44;
const HEAD = ['study', 'film', 'result', 'probability', 'priority', 'objects', 'seconds'];

/** See table.d.cts. */
function describe({ studies, notStored }) {
  const names = studyNames(studies);
  const rows = studies.flatMap((study, i) => (hasFilm(study) ? studyRows(study, names[i]) : []));
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i].length)));
  const line = (cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] + 2))
      .join('')
      .trimEnd();
  const body = rows.flatMap(({ cells, why }) => [line(cells), `${' '.repeat(widths[0] + 4)}${why}`]);
  const tables = [[line(HEAD), ...body], withoutFilm(studies), leftOut(notStored)];
  const text = tables.flatMap((lines) => (lines.length === 0 ? [] : `\n${lines.join('\n')}\n`)).join('');
  return printable(`${text}\nResearch use only, not for diagnosis.\n`);
}

/** Names of files and what Orthanc quotes of them may hold anything, control sequences of a terminal too. */
const printable = (text) => text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, '?');

/** See table.d.cts. */
function studyNames(studies) {
  const uids = abbreviated(studies.map(({ studyInstanceUid }) => String(studyInstanceUid)));
  return studies.map(({ study }, i) => `${study} ${uids[i]}`);
}

/** See table.d.cts. */
function abbreviated(uids) {
  const ends = (length) => uids.map((uid) => (uid.length <= length + 3 ? uid : `...${uid.slice(-length)}`));
  for (let length = 10; ; length += 2) {
    const short = ends(length);
    if (new Set(short).size === new Set(uids).size) return short;
  }
}

const hasFilm = ({ films }) => films.some(({ isRadiograph }) => isRadiograph);

/** Most of a folder of anything may be of this kind: counted, not listed. */
function withoutFilm(studies) {
  const others = studies.filter((study) => !hasFilm(study));
  if (others.length === 0) return [];
  const kinds = [...grouped(others, ({ films }) => films[0].modality || 'no modality')].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  const rows = others.filter(({ list }) => list !== 'absent').length;
  return [
    `studies without a film (CR or DX), left alone: ${others.length}`,
    `  ${kinds.map(([kind, { length }]) => `${length} x ${kind}`).join(', ')}`,
    `  ${rows === 0 ? 'The reading list has no row of them.' : `The reading list has rows of ${rows} of them.`}`,
  ];
}

function grouped(values, keyOf) {
  const groups = new Map();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

/** One row for each film; films that were left alone for one reason share one. */
function studyRows(study, name) {
  const groups = grouped(study.films, ({ outputs, outcome, reason, sopInstanceUid }) =>
    outputs.length === 0 && outcome === 'rejected' ? reason : sopInstanceUid,
  );
  return [...groups.values()].map((films, i) => filmRow(study, i === 0 ? name : null, films));
}

/** What is about the whole study stands in its first row. */
function filmRow(study, name, [film, ...more]) {
  const isFirst = name !== null;
  return {
    cells: [
      name ?? '',
      more.length === 0 ? cutLeft(film.file, MAX_NAME) : `${more.length + 1} files, ${film.modality || 'no modality'}`,
      film.outcome,
      film.probabilityText ?? '-',
      isFirst ? (study.priority ?? '-') : '',
      String(film.outputs.length),
      isFirst && study.secondsToResult !== null ? study.secondsToResult.toFixed(1) : '',
    ],
    why: [...(isFirst ? urgency(study) : []), sentence(film.why), ...(isFirst ? place(study) : [])].join(' '),
  };
}

const URGENCY = {
  order: 'Urgent by its order: a rule of priority.rules is met.',
  finding: 'Urgent by its finding.',
};
const urgency = ({ urgentBy }) => urgentBy.map((who) => URGENCY[who]);

const PLACES = {
  shown: [],
  hidden: ['The reading list hides it until it is asked for.'],
  absent: ['The reading list has no row of it.'],
};
const place = ({ list }) => PLACES[list];

const sentence = (text) => (text.endsWith('.') ? text : `${text}.`);
const cutLeft = (text, length) => (text.length <= length ? text : `...${text.slice(3 - length)}`);

function leftOut(notStored) {
  if (notStored.length === 0) return [];
  const lines = [...grouped(notStored, ({ reason }) => reason)].map(([reason, files]) => {
    const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
    const named = files
      .slice(0, NAMED)
      .map(({ file, sameAs }) => (sameAs === undefined ? file : `${file} (as ${sameAs})`));
    return `  ${files.length} x ${reason}: ${named.join(', ')}${more}`;
  });
  return [`files that were not stored: ${notStored.length}`, ...lines];
}

module.exports = { describe, studyNames, abbreviated };
