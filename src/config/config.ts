import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { HilumError } from '../base/errors';
import { auth, millis, tls } from '../net/config';
import { deliveriesSchema } from '../sinks/config';
import { prioritySchema } from '../triage/config';
import { accessSchema, auditSchema, exposureProblems, httpSchema } from '../web/access/config';
import { rolesSchema } from './roles';

const archive = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('DICOMweb root of the archive, e.g. http://orthanc:8042/dicom-web'),
  auth,
  tls: tls.describe('TLS of the archive connection'),
  connectTimeoutMs: millis(10_000, 'Longest wait for a connection'),
  responseTimeoutMs: millis(60_000, 'Longest wait for the headers, and between two pieces, of an answer'),
  storeTimeoutMs: millis(120_000, 'Longest wait for the answer to a STOW-RS request'),
  requestTimeoutMs: millis(600_000, 'Longest time for one request from end to end, however steadily the archive drips'),
  maxObjectBytes: z
    .number()
    .int()
    .positive()
    .default(512 * 1024 * 1024)
    .describe('Largest object that is read (bytes)'),
});

const broker = z.strictObject({
  url: z.url({ protocol: /^amqps?$/ }).describe('RabbitMQ, e.g. amqp://hilum:secret@rabbitmq:5672'),
  tls: tls.describe('TLS of the broker connection (amqps)'),
  prefix: z
    .string()
    .regex(/^[a-z0-9._-]+$/)
    .default('hilum')
    .describe('First part of the names of all exchanges and queues'),
  prefetch: z.number().int().min(1).max(100).default(1).describe('Studies that one worker holds at a time'),
  heartbeatSeconds: z.number().int().min(5).max(600).default(30).describe('AMQP heartbeat (seconds)'),
  retryDelaysMs: z
    .array(z.number().int().positive())
    .min(1)
    .max(8)
    .default([5_000, 30_000, 300_000, 1_800_000])
    .describe('Delays before each next try of a study (milliseconds); each is a queue of its own'),
  retryLimit: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(8)
    .describe('Tries after the first, before a study is dead-lettered; the last delay repeats'),
});

const catchUp = z
  .strictObject({
    kind: z
      .enum(['off', 'orthanc', 'dicomweb'])
      .default('dicomweb')
      .describe(
        "How studies that no event told of are found: by Orthanc's list of changes, by searching any DICOMweb archive, or not at all",
      ),
    orthancUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Orthanc's own REST API, e.g. http://orthanc:8042; needed with kind orthanc, signed in to as to the archive",
      ),
    intervalMs: millis(300_000, 'Time from one look to the next'),
    windowDays: z
      .number()
      .int()
      .min(1)
      .max(36_500)
      .default(2)
      .describe(
        'How far back to look (days): by Study Date at each search; with kind orthanc by arrival, at the first start only',
      ),
    studiesPerMinute: z.number().positive().max(60_000).default(120).describe('Most events that are made in a minute'),
    queueLimit: z
      .number()
      .int()
      .min(1)
      .default(100)
      .describe('Studies waiting to be worked on at which the catch-up waits'),
  })
  .refine(({ kind, orthancUrl }) => kind !== 'orthanc' || orthancUrl !== undefined, {
    path: ['orthancUrl'],
    message: 'is needed with kind orthanc',
  })
  .prefault({});

export const configSchema = z.strictObject({
  roles: rolesSchema,
  archive,
  broker,
  http: httpSchema,
  access: accessSchema,
  audit: auditSchema,
  models: z
    .strictObject({
      dir: z
        .string()
        .optional()
        .describe(
          'Folder of the model folders (path, relative to the configuration file); by default the models that come with Hilum',
        ),
      view: z.string().default('view-vgg19').describe('Folder of the view model'),
      gate: z
        .string()
        .default('gate-cnn')
        .describe('Folder of the gate, which refuses what does not look like the films of the training; or off'),
      lungs: z.string().default('lungs-unet16').describe('Folder of the lung model'),
      classifier: z.string().default('covid-vgg19-lungs').describe('Folder of the classifier'),
      threads: z
        .number()
        .int()
        .min(0)
        .max(256)
        .default(0)
        .describe('Threads per model; 0 lets the engine take one per core'),
    })
    .prefault({}),
  classification: z
    .strictObject({
      threshold: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          "Operating point of this site: urgent at this probability or more; by default the classifier's own. `hilum evaluate --apply-threshold` writes it",
        ),
      shortcutAudit: z
        .string()
        .min(1)
        .default('off')
        .describe(
          'Folder of a classifier trained on films without their lungs (input.region removed), which tells where the evidence may lie outside the lungs; or off',
        ),
    })
    .prefault({}),
  decode: z
    .strictObject({
      timeoutMs: millis(30_000, 'Longest time to read or to decode one film, each tried twice'),
    })
    .prefault({}),
  results: z
    .strictObject({
      mode: z
        .enum(['live', 'shadow'])
        .default('live')
        .describe(
          'live stores results in the archive and announces them; shadow analyses everything and only notes the outcomes, in state.dir',
        ),
      reportClass: z
        .enum(['comprehensive-3d', 'comprehensive'])
        .default('comprehensive-3d')
        .describe(
          'SOP Class of reports: Comprehensive 3D SR (IHE AIR), or Comprehensive SR for viewers that draw only that',
        ),
      heatMap: z.boolean().default(true).describe('Heat map as a picture (Secondary Capture)'),
      segmentation: z.boolean().default(false).describe('Lungs as a Segmentation'),
      parametricMap: z.boolean().default(false).describe('Heat map in numbers (Parametric Map)'),
      presentationState: z
        .boolean()
        .default(false)
        .describe(
          'Outlines of the lungs and the hottest regions on the film itself (Grayscale Softcopy Presentation State)',
        ),
    })
    .prefault({}),
  catchUp,
  priority: prioritySchema,
  deliveries: deliveriesSchema,
  list: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('The reading list: its database is kept, and results are told to it'),
      database: z
        .string()
        .regex(/^(file:.|postgres(ql)?:\/\/)/, 'must be file:PATH or postgres://...')
        .optional()
        .describe(
          'file:PATH (relative to the configuration file) or postgres://USER:PASSWORD@HOST/DATABASE; by default list.db in state.dir',
        ),
      viewers: z
        .array(
          z.strictObject({
            name: z.string().min(1).max(24),
            url: z.string().regex(/^(https?|weasis):/, 'must be a URL of http, https or weasis'),
          }),
        )
        .max(8)
        .default([])
        .describe(
          'Viewers that open a study: {name, url} each, with {StudyInstanceUID}, {AccessionNumber} or {PatientID} in the URL',
        ),
      pictureCacheMiB: z
        .number()
        .int()
        .min(8)
        .max(4_096)
        .default(64)
        .describe('Pictures of films and heat maps that are held in memory (MiB)'),
    })
    .prefault({}),
  state: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .default('state')
        .describe(
          'Folder of what Hilum must remember over a restart (path, relative to the configuration file): the cursor of catchUp.kind orthanc, the outcomes of results.mode shadow, the counts of drift',
        ),
    })
    .prefault({}),
  drift: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'Counts what is measured of films, day by day, in state.dir, and compares it with the films that the classifier was validated on',
        ),
      days: z.number().int().min(1).max(365).default(7).describe('Days that the metric hilum_drift_psi looks back on'),
    })
    .prefault({}),
  stopTimeoutMs: millis(60_000, 'Longest wait for the film in hand when the service is asked to stop'),
  studySliceMs: millis(
    600_000,
    "How long a study is worked on before it goes to the end of the queue between two films; with its longest film it must stay well below the broker's consumer_timeout, 30 minutes by default",
  ),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info').describe('Least level that is logged'),
    })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/**
 * Shadow mode tells nobody of its results, so a list would show nothing but waiting; and its outcomes are with the
 * worker alone, so a catch-up elsewhere would find every study undone, for ever.
 */
function contradictions({ list, results, roles, catchUp: { kind } }: Config): string[] {
  if (results.mode === 'live') return [];
  const isApart = kind !== 'off' && roles.includes('catch-up') && !roles.includes('worker');
  return [
    ...(list.enabled ? ['list.enabled: needs results.mode live'] : []),
    ...(isApart ? ['roles: catch-up needs the role worker beside it where results.mode is shadow'] : []),
  ];
}

/**
 * Reads a YAML (or JSON) configuration file. `${env:NAME}` and `${file:PATH}` inside a text are replaced, so that
 * secrets stay out of it.
 * @throws HilumError CONFIG_INVALID that names every problem at once, each with its path.
 */
export function readConfig(path: string): Config {
  const base = dirname(resolve(path));
  let raw: unknown;
  try {
    raw = parseYaml(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new HilumError('CONFIG_INVALID', 'permanent', `${path} can't be read as YAML`, { cause });
  }
  return parseConfig(raw, base);
}

/** As {@link readConfig}, from a value; `base` is the folder that relative paths start from. */
export function parseConfig(raw: unknown, base = process.cwd()): Config {
  const problems: string[] = [];
  const filled = substitute(raw ?? {}, base, '', problems);
  const parsed = configSchema.safeParse(filled);
  problems.push(
    ...(parsed.success
      ? [
          ...contradictions(parsed.data),
          ...exposureProblems(parsed.data.http, parsed.data.access).map(
            ({ path, message }) => `${path.join('.')}: ${message}`,
          ),
        ]
      : parsed.error.issues.flatMap(describeIssue)),
  );
  if (problems.length > 0 || !parsed.success)
    throw new HilumError(
      'CONFIG_INVALID',
      'permanent',
      `the configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
  return deepFreeze(resolvePaths(parsed.data, base));
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.') || '(top level)';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: unknown key`);
  return [`${path}: ${issue.message}`];
}

function substitute(value: unknown, base: string, path: string, problems: string[]): unknown {
  if (typeof value === 'string') return substituteText(value, base, path, problems);
  if (Array.isArray(value)) return value.map((item, i) => substitute(item, base, `${path}[${i}]`, problems));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, substitute(item, base, path ? `${path}.${key}` : key, problems)]),
  );
}

function substituteText(text: string, base: string, path: string, problems: string[]): string {
  return text.replace(/\$\{(env|file):([^}]+)\}/g, (_whole, kind: string, name: string) => {
    try {
      const found = kind === 'env' ? process.env[name] : readFileSync(resolve(base, name), 'utf8').trim();
      if (found === undefined) problems.push(`${path}: the environment variable ${name} is not set`);
      return found ?? '';
    } catch {
      problems.push(`${path}: the file ${name} can't be read`);
      return '';
    }
  });
}

function resolvePaths(config: Config, base: string): Config {
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(base, path));
  const withTls = <T extends { readonly tls: Config['archive']['tls'] }>(part: T): T => ({
    ...part,
    tls: { ...part.tls, caFile: at(part.tls.caFile), certFile: at(part.tls.certFile), keyFile: at(part.tls.keyFile) },
  });
  const { http, access, audit } = config;
  const { hl7, fhir, ups, metadata, webhook, email } = config.deliveries;
  const state = { dir: resolve(base, config.state.dir) };
  return {
    ...config,
    archive: withTls(config.archive),
    broker: withTls(config.broker),
    deliveries: {
      ...config.deliveries,
      hl7: withTls(hl7),
      fhir: withTls(fhir),
      ups: withTls(ups),
      metadata: withTls(metadata),
      webhook: withTls(webhook),
      email: withTls(email),
    },
    http: {
      ...http,
      ...(http.tls && {
        tls: { certFile: resolve(base, http.tls.certFile), keyFile: resolve(base, http.tls.keyFile) },
      }),
    },
    access: { ...access, ...(access.oidc && { oidc: { ...access.oidc, caFile: at(access.oidc.caFile) } }) },
    audit: {
      ...audit,
      dir: at(audit.dir) ?? join(state.dir, 'audit'),
      ...(audit.syslog && {
        syslog: {
          ...audit.syslog,
          tls: {
            caFile: at(audit.syslog.tls.caFile),
            certFile: at(audit.syslog.tls.certFile),
            keyFile: at(audit.syslog.tls.keyFile),
          },
        },
      }),
    },
    list: { ...config.list, database: databaseAt(config, base) },
    models: { ...config.models, dir: at(config.models.dir) },
    state,
  };
}

function databaseAt({ list, state }: Config, base: string): string {
  const { database = `file:${join(state.dir, 'list.db')}` } = list;
  return database.startsWith('file:') && !database.startsWith('file://')
    ? `file:${resolve(base, database.slice('file:'.length))}`
    : database;
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
