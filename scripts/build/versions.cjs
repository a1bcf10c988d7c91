/** Where a release's version stands in the files of the repository. CommonJS, so that jest can require it. */
'use strict';

const VERSION = '\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.-]+)?';

/** The whole of it: the same as in the first entry of package-lock.json, the chart, and the commands of its page. */
const PLACES = [
  { file: 'package.json', pattern: new RegExp(`(?<=^  "version": ")${VERSION}(?=",$)`, 'm'), count: 1 },
  {
    file: 'package-lock.json',
    pattern: new RegExp(`(?<=^(?:  |      )"version": ")${VERSION}(?=",$)`, 'gm'),
    // Those of the package itself stand before all others.
    count: 2,
  },
  {
    file: 'deploy/helm/hilum/Chart.yaml',
    pattern: new RegExp(`(?<=^(?:version|appVersion): )${VERSION}$`, 'gm'),
    count: 2,
  },
  { file: 'docs/kubernetes.md', pattern: new RegExp(`(?<=\\btag: |\\bhilum:)${VERSION}`, 'g'), count: 4 },
];

const CHANGELOG = 'CHANGELOG.md';

/**
 * @param {string} text a version
 * @returns {number[]} its numbers
 * @throws Error where it is none (semver.org)
 */
function numbersOf(text) {
  const numbers = /^(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?$/.exec(text);
  if (numbers === null) throw new Error(`${text} is no version: MAJOR.MINOR.PATCH`);
  return numbers.slice(1, 4).map(Number);
}

/** Whether the version comes after the other one; what stands behind a hyphen comes before the version itself. */
function isLater(version, than) {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  const differing = a.findIndex((number, i) => number !== b[i]);
  if (differing >= 0) return (a[differing] ?? 0) > (b[differing] ?? 0);
  const [stage, other] = [version, than].map((text) => text.slice(text.indexOf('-') + 1 || text.length));
  return stage !== other && (stage === '' || (other !== '' && (stage ?? '') > (other ?? '')));
}

/** Puts the version into `count` places of the text. @throws Error where there are fewer */
function withVersion({ file, pattern, count }, text, version) {
  let found = 0;
  const changed = text.replace(pattern, (old) => (++found <= count ? version : old));
  if (found < count) throw new Error(`${file}: the version is not where it was (${found} of ${count} places)`);
  return changed;
}

/** The versions that stand there. */
function versionsIn({ file, pattern, count }, text) {
  const found = text.match(
    new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`),
  );
  if ((found?.length ?? 0) < count) throw new Error(`${file}: the version is not where it was`);
  return (found ?? []).slice(0, count);
}

/**
 * The changelog with `## [VERSION] - not released` dated.
 * @param {string} text
 * @param {string} version
 * @param {string} today YYYY-MM-DD
 * @throws Error without the section, with nothing in it, and where it has another date
 */
function withDate(text, version, today) {
  const heading = new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - (.+)$`, 'm');
  const found = heading.exec(text);
  if (found === null) throw new Error(`${CHANGELOG} has no section "## [${version}] - not released"`);
  const [line, date] = found;
  if (date !== 'not released' && date !== today)
    throw new Error(`${CHANGELOG}: ${version} is dated ${date}; "not released" is dated by this command`);
  const rest = text.slice(found.index + line.length);
  const end = rest.search(/^## \[/m);
  if (!/^- /m.test(end < 0 ? rest : rest.slice(0, end))) throw new Error(`${CHANGELOG}: ${version} says nothing`);
  return text.replace(heading, `## [${version}] - ${today}`);
}

module.exports = { CHANGELOG, PLACES, isLater, numbersOf, versionsIn, withDate, withVersion };
