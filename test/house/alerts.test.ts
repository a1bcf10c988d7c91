import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { createMetrics } from '../../src/web/metrics';

const ROOT = resolve(__dirname, '../..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const PAGE = read('docs/operations.md');
const section = (title: string) =>
  PAGE.split(/^## /m)
    .find((text) => text.startsWith(`${title}\n`))!
    .slice(title.length);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}
const { groups } = parse(read('deploy/prometheus/hilum.rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
const { panels, templating } = JSON.parse(read('deploy/grafana/hilum.json')) as {
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
};
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Names and labels of our metrics as docs/operations.md has them, which test/web/metrics.test.ts holds to the code. */
const LABELS = new Map(
  [...section('Metrics').matchAll(/^\| `(hilum_\w+)` \| [a-z]+(?:; ((?:`\w+`(?:, )?)+))? \|/gm)].map((match) => [
    match[1]!,
    [...(match[2] ?? '').matchAll(/`(\w+)`/g)].map((label) => label[1]!),
  ]),
);

/** Metrics that an expression looks at, with the labels that it asks for. */
function selectorsOf(expr: string): { metric: string; labels: string[] }[] {
  return [...expr.matchAll(/\b((?:hilum|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g)].map((match) => ({
    metric: match[1]!.replace(/_(bucket|sum|count)$/, ''),
    labels: [...(match[2] ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map((label) => label[1]!),
  }));
}

async function served(): Promise<Set<string>> {
  const metrics = createMetrics({
    version: '1',
    studyResults: ['done'],
    failureCodes: [],
    brokerStates: ['connected'],
    brokerState: () => 'connected',
    queues: async () => ({}),
    queueAges: async () => ({}),
    sinks: [],
    deliveryResults: [],
    sinkQueues: async () => [],
  });
  return new Set([...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!));
}

const alertsOfPage = () =>
  [...section('What to watch').matchAll(/^\| `(\w+)`: [^|]+ \| `((?:\\\||[^`])+)`(?: for (\d+) min)? \|/gm)].map(
    ([, alert, expr, minutes]) => ({
      alert,
      expr: expr!.replaceAll('\\|', '|'),
      ...(minutes === undefined ? {} : { for: `${minutes}m` }),
    }),
  );

test('the alerts of docs/operations.md and of the rules are the same, each with its expression and its time', () => {
  expect(rules.length).toBeGreaterThan(10);
  expect(alertsOfPage()).toEqual(
    rules.map(({ alert, expr, for: time }) => ({ alert, expr, ...(time === undefined ? {} : { for: time }) })),
  );
});

test('no row of the page is overlooked', () => {
  const rows = section('What to watch')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.map((row) => /`(\w+)`/.exec(row)![1])).toEqual(rules.map(({ alert }) => alert));
});

test('each alert says what it is, how bad, and leads to a section that there is', () => {
  const anchors = [...PAGE.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^\w]+/g, '-'));
  for (const { alert, labels, annotations } of rules) {
    expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
    for (const text of [annotations.summary, annotations.description])
      expect([alert, text]).toEqual([alert, expect.stringMatching(/^\S.{15,}$/)]);
    const [page, anchor] = annotations.runbook.split('#');
    expect([alert, page, anchors]).toEqual([alert, 'docs/operations.md', expect.arrayContaining([anchor])]);
  }
});

test('each alert is tried by promtool: in which minute it fires', () => {
  const tried = read('deploy/prometheus/hilum.rules.test.yml');
  expect(rules.map(({ alert }) => alert).filter((alert) => !tried.includes(`alertname="${alert}"`))).toEqual([]);
});

test.each([
  ['the rules', () => rules.map(({ expr }) => expr)],
  ['the dashboard', () => [...queries, ...templating.list.map(({ definition = '' }) => definition)]],
])('every metric of %s is served, with the labels that are asked for', async (_name, expressions) => {
  const selectors = expressions().flatMap(selectorsOf);
  const names = await served();
  expect(selectors.length).toBeGreaterThan(10);
  expect(selectors.filter(({ metric }) => metric !== 'up' && !names.has(metric))).toEqual([]);
  const strange = selectors.filter(({ metric, labels }) =>
    labels.some((label) => !['job', 'instance', 'le', ...(LABELS.get(metric) ?? [])].includes(label)),
  );
  expect(strange).toEqual([]);
});

test('the dashboard shows every metric of ours but the version', () => {
  const shown = new Set(queries.flatMap(selectorsOf).map(({ metric }) => metric));
  expect([...LABELS.keys()].filter((metric) => !shown.has(metric))).toEqual(['hilum_info']);
});

test('the dashboard can be imported: its data source is a variable, no panel lies on another', () => {
  expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['job', 'query'],
  ]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const shown = panels.filter(({ type }) => type !== 'row');
  for (const { title, datasource, targets = [] } of shown) {
    expect([title, targets.length > 0]).toEqual([title, true]);
    for (const { uid } of [datasource!, ...targets.map((target) => target.datasource)])
      expect([title, uid]).toEqual([title, '${datasource}']);
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});
