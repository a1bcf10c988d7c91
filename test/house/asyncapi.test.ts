import asyncapiSpecs from '@asyncapi/specs';
import Ajv, { type AnySchema } from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { allQueues, DEFAULT_DELAYS_MS, durationName, topology } from '../../src/queue/topology';
import { SINKS } from '../../src/sinks/registry';

interface Reference {
  readonly $ref: string;
}
interface Channel {
  readonly address: string;
  readonly parameters?: Readonly<Record<string, Reference | { readonly enum: readonly string[] }>>;
  readonly messages: Readonly<Record<string, Reference>>;
  readonly bindings: {
    readonly amqp: {
      readonly is: string;
      readonly queue?: { readonly name: string; readonly durable: boolean };
      readonly exchange?: { readonly name: string; readonly type: string; readonly durable: boolean };
    };
  };
  readonly 'x-arguments'?: Readonly<Record<string, unknown>>;
  readonly 'x-bindings'?: readonly { readonly exchange: string; readonly routingKey: string }[];
}
interface Document {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, { readonly channel: Reference }>>;
}

const DOCS = resolve(__dirname, '../../docs');
const document = parse(readFileSync(join(DOCS, 'asyncapi.yaml'), 'utf8')) as Document;
const plan = topology('hilum', DEFAULT_DELAYS_MS, SINKS.names);

/** What a reference inside the document, or to a file beside it, points at. */
function follow(reference: string): unknown {
  if (reference.startsWith('./')) return JSON.parse(readFileSync(join(DOCS, reference), 'utf8')) as unknown;
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((place, key) => (place as Record<string, unknown> | undefined)?.[key], document);
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : referencesIn(inner)));
}

/** A channel with parameters stands for one of each value. */
function expanded(channel: Channel): { readonly address: string; readonly values: Readonly<Record<string, string>> }[] {
  const entries = Object.entries(channel.parameters ?? {}).map(
    ([name, given]) => [name, ('$ref' in given ? (follow(given.$ref) as { enum: string[] }) : given).enum] as const,
  );
  const all = entries.reduce<Record<string, string>[]>(
    (before, [name, values]) => before.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
  return all.map((values) => ({ address: fill(channel.address, values), values }));
}

const fill = (text: string, values: Readonly<Record<string, string>>) =>
  text.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? `?${name}?`);

function declaredArguments(channel: Channel, values: Readonly<Record<string, string>>): Record<string, unknown> {
  const delays = new Map(DEFAULT_DELAYS_MS.map((ms) => [durationName(ms), ms]));
  return Object.fromEntries(
    Object.entries(channel['x-arguments'] ?? {}).map(([key, value]) => [
      key,
      key === 'x-message-ttl' && typeof value === 'string'
        ? delays.get(fill(value, values))
        : typeof value === 'string'
          ? fill(value, values)
          : value,
    ]),
  );
}

const channels = Object.values(document.channels);
const queues = channels.filter(({ bindings }) => bindings.amqp.is === 'queue');

test('it is AsyncAPI 3.0.0 by the published schema', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats(ajv);
  const isValid = ajv.compile((asyncapiSpecs.schemas as Record<string, AnySchema>)['3.0.0']!);
  expect([isValid(document), isValid.errors]).toEqual([true, null]);
  // The schema refuses a wrong document.
  expect(isValid({ ...document, channels: { study: { address: 1 } } })).toBe(false);
});

test('every reference leads somewhere', () => {
  const references = referencesIn(document);
  expect(references.length).toBeGreaterThan(20);
  expect(references.filter((reference) => follow(reference) === undefined)).toEqual([]);
});

test('the queues are those that Hilum declares, with their arguments', () => {
  const all = [...allQueues(plan), plan.progress.queue];
  const described = queues.flatMap((channel) =>
    expanded(channel).map(({ address, values }) => [address, declaredArguments(channel, values)]),
  );
  expect(Object.fromEntries(described)).toEqual(
    Object.fromEntries(all.map(({ name, arguments: declared }) => [name, declared])),
  );
  expect(described).toHaveLength(all.length);
  for (const { address, bindings } of queues)
    expect(bindings.amqp.queue).toMatchObject({ name: address, durable: true });
});

test('the bindings are those that Hilum makes', () => {
  const described = queues.flatMap((channel) =>
    expanded(channel).flatMap(({ address }) =>
      (channel['x-bindings'] ?? []).map((binding) => ({ queue: address, ...binding })),
    ),
  );
  expect(described).toEqual([...plan.bindings, plan.progress.binding]);
});

test('the exchanges are those that Hilum declares, with the routing keys that it publishes', () => {
  const exchanges = channels.filter(({ bindings }) => bindings.amqp.is === 'routingKey');
  expect(exchanges.map(({ bindings }) => bindings.amqp.exchange)).toMatchObject(
    [plan.study, plan.result, plan.progress.exchange].map((exchange) => ({ ...exchange, durable: true })),
  );
  expect(exchanges.flatMap((channel) => expanded(channel).map(({ address }) => address))).toEqual([
    'study.stable',
    'result.urgent',
    'result.routine',
    'result.none',
    'study.progress',
  ]);
});

test('each channel has an operation, and the headers are those of docs/events.md', () => {
  const used = new Set(Object.values(document.operations).map(({ channel }) => channel.$ref));
  expect(Object.keys(document.channels).filter((name) => !used.has(`#/channels/${name}`))).toEqual([]);
  const described = [...JSON.stringify(document).matchAll(/"(x-hilum-\w+)"/g)].map((match) => match[1]);
  const documented = [...readFileSync(join(DOCS, 'events.md'), 'utf8').matchAll(/^\| `(x-hilum-\w+)` \|/gm)].map(
    (match) => match[1],
  );
  expect(documented.length).toBeGreaterThan(5);
  expect([...new Set(described)].sort()).toEqual([...new Set(documented)].sort());
});
