import type { Finding } from '../events/finding';
import type { FilmResult } from '../events/result-event';
import { isAtOrAbove } from '../finding/operating-point';
import type { ShadowRecord } from '../pipeline/shadow';
import { callCount, type CallCount, kappa } from '../statistics/agreement';
import { histogram } from '../statistics/curves';
import { share, type Share } from '../statistics/statistics';
import { factsOfTest, type Protocol, type TestFacts } from './protocol';

/** A film's findings in another service, live or in shadow mode. */
export interface OtherFilm {
  readonly sopInstanceUid: string;
  readonly findings: readonly Pick<Finding, 'label' | 'probability' | 'operatingPoint'>[];
}

/** One measure compared with the films of the validation, as in `hilum drift`. */
interface DriftFigures {
  readonly measure: string;
  readonly films: number;
  readonly index: number | null;
  readonly chance: number;
  readonly level: string;
}

interface ShadowFinding {
  readonly label: string;
  readonly mode: Finding['mode'];
  /** Operating point of the latest film; null where it has none. */
  readonly operatingPoint: number | null;
  /** Share of the films with this finding that are at or above their own operating point. */
  readonly flagged: Share;
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly films: number }[];
}

interface Agreement {
  readonly label: string;
  readonly films: number;
  readonly same: Share;
  readonly kappa: number | null;
  readonly calls: CallCount;
}

/** shadow.json: summary of shadow mode, without labels to compare with. */
export interface ShadowReport {
  readonly schemaVersion: 1;
  readonly type: 'hilum-shadow-report';
  readonly madeAt: string;
  readonly softwareVersion: string;
  readonly protocol: TestFacts | null;
  /** Times of the first and the last analysis; null where there is no film. */
  readonly from: string | null;
  readonly to: string | null;
  /** Number of films. A film analysed several times, with other models or settings, counts once, by the latest. */
  readonly films: number;
  readonly studies: number;
  /** Outcomes, the most frequent first. */
  readonly outcomes: readonly {
    readonly outcome: FilmResult['outcome'];
    readonly reason: FilmResult['reason'];
    readonly films: Share;
  }[];
  /** Share of the analysed films that a live service would have made urgent. */
  readonly urgent: Share;
  readonly findings: readonly ShadowFinding[];
  /** Figures by day of analysis (UTC). */
  readonly days: readonly {
    readonly day: string;
    readonly films: number;
    readonly analysed: number;
    readonly urgent: number;
  }[];
  /** Agreement with the other service, by finding; null where nothing is compared. */
  readonly agreement: { readonly name: string; readonly findings: readonly Agreement[] } | null;
  /** Null where there is no reference. */
  readonly drift: readonly DriftFigures[] | null;
}

export interface ShadowInput {
  readonly records: readonly ShadowRecord[];
  readonly softwareVersion: string;
  readonly protocol: Protocol | null;
  readonly other: { readonly name: string; readonly films: readonly OtherFilm[] } | null;
  readonly drift: readonly DriftFigures[] | null;
  readonly now: Date;
}

export function summarise({ records, softwareVersion, protocol, other, drift, now }: ShadowInput): ShadowReport {
  const inOrder = [...records].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const latest = new Map(inOrder.map((record) => [record.sopInstanceUid, record]));
  const films = inOrder.filter((record) => latest.get(record.sopInstanceUid) === record);
  const times = films.map(({ at }) => at);
  const analysed = films.filter(({ outcome }) => outcome === 'analysed');
  return {
    schemaVersion: 1,
    type: 'hilum-shadow-report',
    madeAt: now.toISOString(),
    softwareVersion,
    protocol: protocol && factsOfTest(protocol),
    from: times[0] ?? null,
    to: times.at(-1) ?? null,
    films: films.length,
    studies: new Set(films.map(({ studyInstanceUid }) => studyInstanceUid)).size,
    outcomes: outcomesOf(films),
    urgent: share(analysed.filter(({ urgent }) => urgent).length, analysed.length),
    findings: labelsOf(analysed).map((label) => findingOf(label, analysed)),
    days: daysOf(films),
    agreement: other && {
      name: other.name,
      findings: labelsOf(analysed).flatMap((label) => agreementOf(label, analysed, other.films)),
    },
    drift,
  };
}

type Film = ShadowRecord;

const labelsOf = (films: readonly Film[]) => [
  ...new Set(films.flatMap(({ findings }) => findings.map(({ label }) => label))),
];

function outcomesOf(films: readonly Film[]): ShadowReport['outcomes'] {
  const counts = new Map<string, Film[]>();
  for (const film of films) {
    const key = `${film.outcome} ${film.reason ?? ''}`;
    counts.set(key, [...(counts.get(key) ?? []), film]);
  }
  return [...counts.values()]
    .sort((a, b) => b.length - a.length)
    .map(([film, ...others]) => ({
      outcome: film!.outcome,
      reason: film!.reason,
      films: share(1 + others.length, films.length),
    }));
}

const isCalled = ({ probability, operatingPoint }: Pick<Finding, 'probability' | 'operatingPoint'>) =>
  operatingPoint !== null && isAtOrAbove(probability, operatingPoint);

function findingOf(label: string, films: readonly Film[]): ShadowFinding {
  const own = films.flatMap(({ findings }) => findings.filter((finding) => finding.label === label));
  const { mode, operatingPoint } = own.at(-1)!;
  const bins = histogram(own.map(({ probability }) => ({ positive: true, score: probability })));
  return {
    label,
    mode,
    operatingPoint,
    flagged: share(own.filter(isCalled).length, own.length),
    histogram: bins.map(({ from, to, positive }) => ({ from, to, films: positive })),
  };
}

function daysOf(films: readonly Film[]): ShadowReport['days'] {
  const byDay = new Map<string, Film[]>();
  for (const film of films) byDay.set(film.at.slice(0, 10), [...(byDay.get(film.at.slice(0, 10)) ?? []), film]);
  return [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, all]) => ({
      day,
      films: all.length,
      analysed: all.filter(({ outcome }) => outcome === 'analysed').length,
      urgent: all.filter(({ urgent }) => urgent).length,
    }));
}

/** Null where no film has the finding in both services. */
function agreementOf(label: string, films: readonly Film[], others: readonly OtherFilm[]): Agreement[] {
  const known = new Map(others.map((film) => [film.sopInstanceUid, film]));
  const of = (film: Pick<OtherFilm, 'findings'> | undefined) =>
    film?.findings.find((finding) => finding.label === label);
  const pairs = films.flatMap((film): [boolean, boolean][] => {
    const [own, other] = [of(film), of(known.get(film.sopInstanceUid))];
    return own === undefined || other === undefined ? [] : [[isCalled(own), isCalled(other)]];
  });
  if (pairs.length === 0) return [];
  const calls = callCount(pairs);
  return [
    { label, films: pairs.length, same: share(calls.both + calls.neither, pairs.length), kappa: kappa(calls), calls },
  ];
}
