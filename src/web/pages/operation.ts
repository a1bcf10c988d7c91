import type { Installation, Overview, Turnaround, TurnaroundGroup } from '../api/api-types.js';
import { h } from './dom.js';
import { t } from './language.js';
import { table } from './table.js';
import { dateTime, duration, since } from './words.js';

/** Periods for turnaround (days). */
const PERIODS = [1, 7, 30, 90];
/** The service computes with this many studies, the latest. */
const MAX_STUDIES = 100_000;

const STEPS = {
  result: t('operation.turnaround.step.result'),
  opened: t('operation.turnaround.step.opened'),
  read: t('operation.turnaround.step.read'),
  total: t('operation.turnaround.step.total'),
  'first-come': t('operation.turnaround.step.first-come'),
} as const;

const PRIORITIES = { urgent: t('priority.urgent'), routine: t('priority.routine') } as const;

const sinceWhen = (iso: string) => t('operation.sinceWhen', { at: dateTime(iso), lasting: since(iso) });

type Check = Overview['checks'][number];

export function checksPart({ checks, outages }: Overview): HTMLElement {
  const lasting = (name: string) => outages.find(({ check, to }) => check === name && to === null);
  const line = ({ name, problem }: Check) => {
    const outage = problem === null ? undefined : lasting(name);
    return h(
      'li',
      { class: problem === null ? 'ok' : 'bad' },
      h('strong', {}, name),
      ` ${problem ?? t('operation.ok')}`,
      outage === undefined ? '' : `, ${sinceWhen(outage.from)}`,
    );
  };
  return part('checks-title', t('operation.needs'), h('ul', { class: 'checks' }, ...checks.map(line)));
}

export function outagesPart({ outages }: Overview): HTMLElement {
  return part(
    'outages-title',
    t('operation.outages'),
    outages.length === 0
      ? faint(t('operation.outages.none'))
      : table(
          [
            t('operation.outages.what'),
            t('operation.outages.from'),
            t('operation.outages.to'),
            t('operation.outages.problem'),
          ],
          outages.map(({ check, from, to, problem }) => [
            check,
            dateTime(from),
            to === null ? t('operation.outages.lasting') : dateTime(to),
            problem,
          ]),
          t('operation.outages'),
        ),
  );
}

export function workersPart({ workers, workersConnected }: Overview): HTMLElement {
  return part(
    'workers-title',
    t('operation.workers'),
    h(
      'p',
      {},
      workersConnected === null
        ? t('operation.brokerAway')
        : t('operation.workers.connected', { count: workersConnected }),
    ),
    workers.length === 0
      ? faint(t('operation.workers.none'))
      : table(
          [
            t('operation.workers.worker'),
            t('operation.workers.now'),
            t('operation.workers.since'),
            t('operation.workers.lastTold'),
          ],
          workers.map(({ name, studies, since: began, heardAt }) => [
            name,
            studies === 0 ? t('operation.workers.idle') : t('operation.workers.analyses', { count: studies }),
            began === null ? '-' : dateTime(began),
            dateTime(heardAt),
          ]),
          t('operation.workers'),
        ),
  );
}

export function deliveriesPart({ deliveries }: Overview): HTMLElement {
  return part(
    'deliveries-title',
    t('operation.deliveries'),
    deliveries === null
      ? h('p', { class: 'problem' }, t('operation.brokerAway'))
      : deliveries.length === 0
        ? faint(t('operation.deliveries.none'))
        : table(
            [
              t('operation.deliveries.for'),
              t('operation.deliveries.waiting'),
              t('operation.queue.retry'),
              t('operation.queue.dead'),
              t('operation.deliveries.failsSince'),
            ],
            deliveries.map(({ sink, waiting, retry, dead, failingSince }) => [
              sink,
              String(waiting),
              String(retry),
              String(dead),
              failingSince === null ? '-' : dateTime(failingSince),
            ]),
            t('operation.deliveries'),
          ),
  );
}

/** Heading, selection of the period, and download. */
export function turnaroundControls(days: number, choose: (days: number) => void): HTMLElement[] {
  const file = h('a', { href: csvOf(days) }, t('operation.turnaround.csv'));
  const select = h(
    'select',
    { id: 'turnaround-days' },
    ...PERIODS.map((count) =>
      h('option', { value: count, selected: count === days }, t('operation.turnaround.days', { count })),
    ),
  );
  select.addEventListener('change', () => {
    file.href = csvOf(Number(select.value));
    choose(Number(select.value));
  });
  return [
    h('h3', { id: 'turnaround-title' }, t('operation.turnaround')),
    h('p', { class: 'turnaround-controls' }, h('label', {}, `${t('operation.turnaround.period')} `, select), file),
  ];
}

const csvOf = (days: number) => `/api/v1/operators/turnaround.csv?days=${days}`;

export function turnaroundPart(turnaround: Turnaround): HTMLElement[] {
  const { groups, cut, withoutArrival, from, to, timeZone } = turnaround;
  const hours = groups.filter(({ hour }) => hour !== null);
  return [
    h('p', {}, t('operation.turnaround.window', { from: dateTime(from), to: dateTime(to), timeZone })),
    ...(cut ? [h('p', {}, t('operation.turnaround.cut', { most: MAX_STUDIES }))] : []),
    ...(withoutArrival > 0 ? [h('p', {}, t('operation.turnaround.withoutArrival', { count: withoutArrival }))] : []),
    ...groups.filter(({ hour }) => hour === null).map(stepTable),
    h('p', { class: 'faint' }, t('operation.turnaround.explained')),
    ...(hours.length === 0
      ? []
      : [
          h(
            'details',
            {},
            h('summary', {}, t('operation.turnaround.byHour')),
            table(hourHead(), hours.map(hourRow), t('operation.turnaround.byHour')),
          ),
        ]),
  ];
}

const stepOf = ({ steps }: TurnaroundGroup, wanted: keyof typeof STEPS) => steps.find(({ step }) => step === wanted);
const time = (seconds: number | null | undefined) =>
  seconds === null || seconds === undefined ? '-' : duration(seconds * 1000);

function stepTable(group: TurnaroundGroup): HTMLElement {
  const { priority, arrived, steps } = group;
  return table(
    [
      t('operation.turnaround.step'),
      t('operation.studies'),
      t('operation.turnaround.median'),
      t('operation.turnaround.p90'),
      t('operation.turnaround.notYet'),
      t('operation.turnaround.leftOut'),
    ],
    steps.map(({ step, studies, medianSeconds, p90Seconds, notYet, leftOut }) => [
      STEPS[step],
      String(studies),
      time(medianSeconds),
      time(p90Seconds),
      String(notYet),
      String(leftOut),
    ]),
    t('operation.turnaround.arrived', {
      priority: PRIORITIES[priority],
      arrived,
      unread: stepOf(group, 'total')?.notYet ?? 0,
    }),
    true,
  );
}

const hourHead = () => [
  t('operation.turnaround.hour'),
  t('operation.turnaround.priority'),
  t('operation.turnaround.arrivals'),
  t('operation.turnaround.resultMedian'),
  t('operation.turnaround.readMedian'),
  t('operation.turnaround.readP90'),
  t('operation.turnaround.firstComeMedian'),
];

function hourRow(group: TurnaroundGroup): string[] {
  return [
    `${String(group.hour ?? 0).padStart(2, '0')}:00`,
    PRIORITIES[group.priority],
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
      t('operation.installed'),
      h('p', {}, `Hilum ${version}`),
      table(
        [t('operation.installed.model'), t('operation.installed.version')],
        models.map(({ id, version: of }) => [id, of]),
      ),
    ),
    part(
      'drift-title',
      t('operation.drift'),
      drift === null
        ? faint(t('operation.drift.none'))
        : table(
            [
              t('operation.drift.measure'),
              t('operation.drift.films'),
              t('operation.drift.index'),
              t('operation.drift.chance'),
              t('operation.drift.level'),
            ],
            drift.map(({ measure, films, index, chance, level }) => [
              measure,
              String(films),
              index === null ? '-' : index.toFixed(2),
              chance.toFixed(2),
              level,
            ]),
            t('operation.drift'),
          ),
    ),
    part(
      'docs-title',
      t('operation.docs'),
      h('ul', {}, ...docs.map(({ name, href }) => h('li', {}, h('a', { href }, name)))),
    ),
  ];
}

const faint = (text: string) => h('p', { class: 'faint' }, text);

function part(id: string, title: string, ...content: HTMLElement[]): HTMLElement {
  return h('section', { 'aria-labelledby': id }, h('h3', { id }, title), ...content);
}
