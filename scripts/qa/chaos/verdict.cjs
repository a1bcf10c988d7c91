/**
 * What of the films that were sent has its results in the archive: a pure function over what the archive lists. See
 * verdict.d.cts.
 */
'use strict';

const REPORT = 'SR';
const HEAT_MAP = 'OT';

function judge(sent, listed) {
  const byStudy = groupBy(listed, ({ study }) => study);
  const verdict = { stored: 0, analysed: 0, notAnalysed: 0, lost: 0, doubled: 0, problems: [] };
  for (const { studyInstanceUid: study, films } of sent) {
    const holds = byStudy.get(study) ?? [];
    byStudy.delete(study);
    const complain = (film, what) => verdict.problems.push({ study, film, what, holds: holds.map(describe) });
    for (const film of films) judgeFilm(film, holds, verdict, complain);
    countStrangers(films, holds, verdict, complain);
  }
  for (const [study, holds] of byStudy) {
    verdict.doubled += holds.length;
    verdict.problems.push({ study, film: null, what: 'a study that nobody sent', holds: holds.map(describe) });
  }
  return verdict;
}

function judgeFilm(film, holds, verdict, complain) {
  const copies = holds.filter(({ sopInstanceUid }) => sopInstanceUid === film);
  const about = (modality) => holds.filter((object) => object.modality === modality && object.refersTo.includes(film));
  const [reports, heatMaps] = [about(REPORT), about(HEAT_MAP)];
  const named = new Set(reports.flatMap(({ refersTo }) => refersTo).filter((uid) => uid !== film));
  const missing = [...named].filter((uid) => !heatMaps.some(({ sopInstanceUid }) => sopInstanceUid === uid));
  if (copies.length > 0) verdict.stored++;
  if (reports.length > 0) verdict[named.size > 0 ? 'analysed' : 'notAnalysed']++;
  if (copies.length === 0 || reports.length === 0 || missing.length > 0) {
    verdict.lost++;
    complain(
      film,
      copies.length === 0
        ? 'the film is not in the archive'
        : reports.length === 0
          ? 'it has no report'
          : `its report names ${missing.join(', ')}, which is not there`,
    );
  }
  const tooMany = [
    ['film', copies.length, 1],
    ['report', reports.length, 1],
    ['heat map', heatMaps.length, Math.min(1, named.size)],
  ];
  for (const [name, found, most] of tooMany) {
    // A heat map without any report is half a set, and its film is lost already.
    const allowed = name === 'heat map' && reports.length === 0 ? 1 : most;
    if (found <= allowed) continue;
    verdict.doubled += found - allowed;
    complain(film, `${found} objects that are its ${name}, where there is to be ${allowed}`);
  }
}

/** What is neither a film that was sent nor a result about one. */
function countStrangers(films, holds, verdict, complain) {
  const isKnown = ({ sopInstanceUid, modality, refersTo }) =>
    films.includes(sopInstanceUid) ||
    ([REPORT, HEAT_MAP].includes(modality) && refersTo.some((uid) => films.includes(uid)));
  const strangers = holds.filter((object) => !isKnown(object));
  if (strangers.length === 0) return;
  verdict.doubled += strangers.length;
  complain(null, `${strangers.length} objects that are about no film of the study`);
}

const describe = ({ modality, sopInstanceUid, refersTo }) =>
  `${modality} ${sopInstanceUid}${refersTo.length > 0 ? ` about ${refersTo.join(', ')}` : ''}`;

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const item of list) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

module.exports = { judge };
