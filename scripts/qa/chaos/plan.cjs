/**
 * What a chaos run sends and what it kills, all of it drawn from the seed. CommonJS, so that jest can require it. See
 * plan.d.cts.
 */
'use strict';

/** Small enough to be drawn by the hundred, large enough to be analysed. */
const FILM = { rows: 256, columns: 224 };
const DRAWINGS = 24;
const TWO_FILMS = 0.25;
const STAT = 0.15;
const LONGEST_DOWN_MS = 4_000;
/** Each round of kills holds these, shuffled, so that every kind comes. */
const ROUND = ['worker', 'worker', 'broker', 'archive'];
/** Part of the kills that do not wait until the line works again: two may be away at a time. */
const OVERLAPPING = 0.25;

function drawStudies({ seed, studies, meanSeconds = 0, sameSeries = true }) {
  const random = randomFrom(seed);
  return Array.from({ length: studies }, (_, i) => {
    const drawing = 1 + Math.floor(random() * DRAWINGS);
    const first = {
      seed: drawing,
      view: random() < 0.5 ? 'PA' : 'AP',
      modality: random() < 0.5 ? 'CR' : 'DX',
      instance: 1,
      ...FILM,
    };
    const second = secondFilm(first, random(), sameSeries);
    const films = random() < TWO_FILMS ? [first, second] : [first];
    return { name: `${seed} ${i}`, isStat: random() < STAT, waitMs: waitMs(random, meanSeconds), films };
  });
}

/** A lateral film, the other frontal view, or a second film of the first one's series. */
function secondFilm(first, draw, sameSeries) {
  if (draw < 0.4) return { ...first, view: 'LL' };
  if (draw < 0.7 || !sameSeries) return { ...first, view: first.view === 'PA' ? 'AP' : 'PA' };
  return { ...first, instance: 2 };
}

function* drawKills({ seed, meanSeconds, workers }) {
  const random = randomFrom(`kills ${seed}`);
  for (;;) {
    for (const kind of shuffled(ROUND, random)) {
      yield {
        kind,
        worker: kind === 'worker' ? Math.floor(random() * workers) : null,
        overlaps: random() < OVERLAPPING,
        afterMs: waitMs(random, meanSeconds),
        downMs: Math.round(100 + random() * LONGEST_DOWN_MS),
      };
    }
  }
}

/** Kills after which each kind has come. */
const KILLS_OF_EACH_KIND = ROUND.length;

/** Exponential, so that what comes next can't be told from what came, but within bounds. */
function waitMs(random, meanSeconds) {
  return Math.round(1000 * meanSeconds * Math.min(3, Math.max(0.1, -Math.log(1 - random()))));
}

function shuffled(list, random) {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(random() * left.length), 1)[0]);
}

/** mulberry32 over a hash (FNV-1a) of the seed: numbers from 0 to below 1, the same on every machine. */
function randomFrom(seed) {
  let state = [...String(seed)].reduce(
    (hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 0x01000193),
    0x811c9dc5,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

module.exports = { drawStudies, drawKills, KILLS_OF_EACH_KIND };
