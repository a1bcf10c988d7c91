import type { Installation, Overview, Turnaround, TurnaroundGroup } from '../api/api-types.js';
import { h } from './dom.js';
import { table } from './table.js';
import { dateTime, duration, since } from './words.js';

/** All that these parts of the page say. */
export const TEXT = {
  notReadable: 'Not to be read',
  none: 'None.',
  checks: 'What the service needs',
  ok: 'ok',
  sinceWhen: (iso: string) => `since ${dateTime(iso)} (${since(iso)})`,
  outages: 'Outages',
  noOutages: 'None since this process began.',
  outageHead: ['What', 'From', 'To', 'Problem'],
  lasting: 'still',
  workers: 'Workers',
  connected: (count: number | null) =>
    count === null ? 'The broker does not answer.' : `${count} connected to the broker.`,
  workerHead: ['Worker', 'Now', 'Since', 'Last told of a study'],
  analysing: (studies: number) => `analyses ${studies === 1 ? '1 study' : `${studies} studies`}`,
  idle: 'has told of none in hand',
  noWorkers: 'No worker told of a study within a day.',
  deliveries: 'Results for other systems, and for the list',
  brokerAway: 'The broker does not answer.',
  deliveryHead: ['For', 'Waiting', 'Next try pending', 'Given up', 'Fails since'],
  noDeliveries: 'No system gets results.',
  turnaround: 'Turnaround',
  period: 'Arrived within',
  days: { 1: '1 day', 7: '7 days', 30: '30 days', 90: '90 days' } as Readonly<Record<number, string>>,
  csv: 'Download as CSV',
  window: ({ from, to, timeZone }: Turnaround) =>
    `Arrived from ${dateTime(from)} to ${dateTime(to)}; hours of ${timeZone}.`,
  cut: 'More than 100,000 studies arrived: these are the latest.',
  withoutArrival: (studies: number) => `${studies} more are left out: it is not known when they arrived.`,
  priority: { urgent: 'Urgent', routine: 'Routine' },
  arrived: (priority: string, arrived: number, unread: number) =>
    `${priority}: ${arrived} arrived, ${unread} of them not read yet`,
  steps: {
    result: 'Arrival to result',
    opened: 'Result to first opened',
    read: 'First opened to read',
    total: 'Arrival to read',
    'first-come': 'Arrival to read, if first come were first read',
  },
  stepHead: ['Step', 'Studies', 'Median', '9 of 10 within', 'Not yet', 'Left out'],
  explained:
    'First come, first read: the same arrivals and the same moments of reading, each given to the study that had ' +
    'waited longest. The mean over all studies stays the same: what one priority gains, the other waits.',
  byHour: 'By hour of arrival',
  hourHead: ['Hour', 'Priority', 'Arrived', 'Result, median', 'Read, median', 'Read, 9 of 10', 'First come, median'],
  hour: (hour: number) => `${String(hour).padStart(2, '0')}:00`,
  installed: 'Installed',
  version: (version: string) => `Hilum ${version}`,
  modelHead: ['Model', 'Version'],
  drift: 'Drift',
  noDrift: 'This process has no counts of films to compare.',
  driftHead: ['Measure', 'Films', 'Index', 'By chance', 'Level'],
  docs: 'Documentation',
} as const;

type Check = Overview['checks'][number];

export function checksPart({ checks, outages }: Overview): HTMLElement {
  const lasting = (name: string) => outages.find(({ check, to }) => check === name && to === null);
  const line = ({ name, problem }: Check) => {
    const outage = problem === null ? undefined : lasting(name);
    return h(
      'li',
      { class: problem === null ? 'ok' : 'bad' },
      h('strong', {}, name),
      ` ${problem ?? TEXT.ok}`,
      outage === undefined ? '' : `, ${TEXT.sinceWhen(outage.from)}`,
    );
  };
  return part('checks-title', TEXT.checks, h('ul', { class: 'checks' }, ...checks.map(line)));
}

export function outagesPart({ outages }: Overview): HTMLElement {
  return part(
    'outages-title',
    TEXT.outages,
    outages.length === 0
      ? faint(TEXT.noOutages)
      : table(
          TEXT.outageHead,
          outages.map(({ check, from, to, problem }) => [
            check,
            dateTime(from),
            to === null ? TEXT.lasting : dateTime(to),
            problem,
          ]),
          TEXT.outages,
        ),
  );
}

export function workersPart({ workers, workersConnected }: Overview): HTMLElement {
  return part(
    'workers-title',
    TEXT.workers,
    h('p', {}, TEXT.connected(workersConnected)),
    workers.length === 0
      ? faint(TEXT.noWorkers)
      : table(
          TEXT.workerHead,
          workers.map(({ name, studies, since: began, heardAt }) => [
            name,
            studies === 0 ? TEXT.idle : TEXT.analysing(studies),
            began === null ? '-' : dateTime(began),
            dateTime(heardAt),
          ]),
          TEXT.workers,
        ),
  );
}

export function deliveriesPart({ deliveries }: Overview): HTMLElement {
  return part(
    'deliveries-title',
    TEXT.deliveries,
    deliveries === null
      ? h('p', { class: 'problem' }, TEXT.brokerAway)
      : deliveries.length === 0
        ? faint(TEXT.noDeliveries)
        : table(
            TEXT.deliveryHead,
            deliveries.map(({ sink, waiting, retry, dead, failingSince }) => [
              sink,
              String(waiting),
              String(retry),
              String(dead),
              failingSince === null ? '-' : dateTime(failingSince),
            ]),
            TEXT.deliveries,
          ),
  );
}

/** Heading, choice of days and the file of them. */
export function turnaroundControls(days: number, choose: (days: number) => void): HTMLElement[] {
  const file = h('a', { href: csvOf(days), download: true }, TEXT.csv);
  const select = h(
    'select',
    { id: 'turnaround-days' },
    ...Object.entries(TEXT.days).map(([value, text]) => h('option', { value, selected: Number(value) === days }, text)),
  );
  select.addEventListener('change', () => {
    file.href = csvOf(Number(select.value));
    choose(Number(select.value));
  });
  return [
    h('h3', { id: 'turnaround-title' }, TEXT.turnaround),
    h('p', { class: 'turnaround-controls' }, h('label', {}, `${TEXT.period} `, select), file),
  ];
}

const csvOf = (days: number) => `/api/v1/operators/turnaround.csv?days=${days}`;

export function turnaroundPart(turnaround: Turnaround): HTMLElement[] {
  const { groups, cut, withoutArrival } = turnaround;
  const hours = groups.filter(({ hour }) => hour !== null);
  return [
    h('p', {}, TEXT.window(turnaround)),
    ...(cut ? [h('p', {}, TEXT.cut)] : []),
    ...(withoutArrival > 0 ? [h('p', {}, TEXT.withoutArrival(withoutArrival))] : []),
    ...groups.filter(({ hour }) => hour === null).map(stepTable),
    h('p', { class: 'faint' }, TEXT.explained),
    ...(hours.length === 0
      ? []
      : [h('details', {}, h('summary', {}, TEXT.byHour), table(TEXT.hourHead, hours.map(hourRow), TEXT.byHour))]),
  ];
}

const stepOf = ({ steps }: TurnaroundGroup, wanted: keyof typeof TEXT.steps) =>
  steps.find(({ step }) => step === wanted);
const time = (seconds: number | null | undefined) =>
  seconds === null || seconds === undefined ? '-' : duration(seconds * 1000);

function stepTable(group: TurnaroundGroup): HTMLElement {
  const { priority, arrived, steps } = group;
  return table(
    TEXT.stepHead,
    steps.map(({ step, studies, medianSeconds, p90Seconds, notYet, leftOut }) => [
      TEXT.steps[step],
      String(studies),
      time(medianSeconds),
      time(p90Seconds),
      String(notYet),
      String(leftOut),
    ]),
    TEXT.arrived(TEXT.priority[priority], arrived, stepOf(group, 'total')?.notYet ?? 0),
  );
}

function hourRow(group: TurnaroundGroup): string[] {
  return [
    TEXT.hour(group.hour ?? 0),
    TEXT.priority[group.priority],
    String(group.arrived),
    time(stepOf(group, 'result')?.medianSeconds),
    time(stepOf(group, 'total')?.medianSeconds),
    time(stepOf(group, 'total')?.p90Seconds),
    time(stepOf(group, 'first-come')?.medianSeconds),
  ];
}

export function installationPart({ version, models, drift, docs }: Installation): HTMLElement[] {
  return [
    part(
      'installed-title',
      TEXT.installed,
      h('p', {}, TEXT.version(version)),
      table(
        TEXT.modelHead,
        models.map(({ id, version: of }) => [id, of]),
      ),
    ),
    part(
      'drift-title',
      TEXT.drift,
      drift === null
        ? faint(TEXT.noDrift)
        : table(
            TEXT.driftHead,
            drift.map(({ measure, films, index, chance, level }) => [
              measure,
              String(films),
              index === null ? '-' : index.toFixed(2),
              chance.toFixed(2),
              level,
            ]),
            TEXT.drift,
          ),
    ),
    part('docs-title', TEXT.docs, h('ul', {}, ...docs.map(({ name, href }) => h('li', {}, h('a', { href }, name))))),
  ];
}

const faint = (text: string) => h('p', { class: 'faint' }, text);

function part(id: string, title: string, ...content: HTMLElement[]): HTMLElement {
  return h('section', { 'aria-labelledby': id }, h('h3', { id }, title), ...content);
}
