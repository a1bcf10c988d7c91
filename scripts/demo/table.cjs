/** The demo's report in words. */
'use strict';

/** Of files that were not stored for one reason, how many are named. */
const NAMED = 5;
/** Characters of a file's name. */
const MOST_NAME = 44;
const HEAD = ['study', 'film', 'result', 'probability', 'priority', 'objects', 'seconds'];

/** See table.d.cts. */
function describe({ studies, notStored }) {
  const names = studyNames(studies);
  const rows = studies.flatMap((study, i) => studyRows(study, names[i]));
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i].length)));
  const line = (cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] + 2))
      .join('')
      .trimEnd();
  const body = rows.flatMap(({ cells, why }) => [line(cells), `${' '.repeat(widths[0] + 4)}${why}`]);
  return `\n${[line(HEAD), ...body].join('\n')}\n${leftOut(notStored)}\nResearch use only, not for diagnosis.\n`;
}

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

/** One row for each film; films that were left alone for one reason share one. */
function studyRows(study, name) {
  const groups = new Map();
  for (const film of study.films) {
    const key = film.outputs.length === 0 && film.outcome === 'rejected' ? film.reason : film.sopInstanceUid;
    groups.set(key, [...(groups.get(key) ?? []), film]);
  }
  return [...groups.values()].map((films, i) => filmRow(study, i === 0 ? name : null, films));
}

/** What is about the whole study stands in its first row. */
function filmRow(study, name, [film, ...more]) {
  const isFirst = name !== null;
  return {
    cells: [
      name ?? '',
      more.length === 0 ? cutLeft(film.file, MOST_NAME) : `${more.length + 1} files, ${film.modality || 'no modality'}`,
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
  if (notStored.length === 0) return '';
  const byReason = new Map();
  for (const { file, reason } of notStored) byReason.set(reason, [...(byReason.get(reason) ?? []), file]);
  const lines = [...byReason].map(([reason, files]) => {
    const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
    return `  ${files.length} x ${reason}: ${files.slice(0, NAMED).join(', ')}${more}`;
  });
  return `\nnot stored:\n${lines.join('\n')}\n`;
}

module.exports = { describe, studyNames, abbreviated };
