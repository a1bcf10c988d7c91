import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { archiveSchema } from '../archive/config';
import { HilumError } from '../base/errors';
import { logSchema } from '../base/log';
import { resolvedFrom } from '../base/schema';
import { parseYaml } from '../base/yaml';
import { catchUpSchema } from '../catch-up/config';
import { findingsSchema } from '../finding/config';
import { languageSchema } from '../language/config';
import { modelsSchema } from '../model/config';
import { driftSchema, stateSchema } from '../monitoring/config';
import {
  analysisSchema,
  classificationSchema,
  decodeSchema,
  resultsSchema,
  stopTimeoutMs,
  studySliceMs,
} from '../pipeline/config';
import { brokerSchema } from '../queue/config';
import { listenerProblems, risSchema } from '../ris/config';
import { SINKS } from '../sinks/registry';
import { tracingSchema } from '../tracing/config';
import { prioritySchema } from '../triage/config';
import { accessSchema, exposureProblems } from '../web/access/config';
import { auditSchema } from '../web/audit/config';
import { httpSchema } from '../web/config';
import { listSchema, retentionProblems, retentionSchema } from '../worklist/config';
import { rolesSchema } from './roles';

/** The configuration file: each room exports the schema of its section. */
export const configSchema = z.strictObject({
  roles: rolesSchema,
  archive: archiveSchema,
  broker: brokerSchema,
  http: httpSchema,
  access: accessSchema,
  audit: auditSchema,
  models: modelsSchema,
  classification: classificationSchema,
  findings: findingsSchema,
  analysis: analysisSchema,
  decode: decodeSchema,
  results: resultsSchema,
  catchUp: catchUpSchema,
  priority: prioritySchema,
  deliveries: SINKS.schema,
  list: listSchema,
  retention: retentionSchema,
  ris: risSchema,
  language: languageSchema,
  state: stateSchema,
  drift: driftSchema,
  tracing: tracingSchema,
  stopTimeoutMs,
  studySliceMs,
  log: logSchema,
});

type Settings = z.infer<typeof configSchema>;

/** The settings, with defaults that depend on other sections. */
export type Config = ReturnType<typeof withStateFolder>;

function withStateFolder(settings: Settings) {
  const { audit, list, state } = settings;
  return {
    ...settings,
    audit: { ...audit, dir: audit.dir ?? join(state.dir, 'audit') },
    list: { ...list, database: list.database ?? `file:${join(state.dir, 'list.db')}` },
  };
}

/**
 * Settings that contradict each other. In shadow mode no result is delivered, so a list would stay empty; and outcomes
 * are with the worker alone, so a catch-up in another process would find every study undone.
 */
function contradictions({ list, results, roles, catchUp: { kind } }: Settings): string[] {
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
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HilumError('CONFIG_INVALID', 'permanent', `${path} can't be read`, { cause });
  }
  return parseConfig(parseYaml(text, path).value, base);
}

/** As {@link readConfig}, from a parsed value; `base` is the folder that relative paths start from. */
export function parseConfig(raw: unknown, base = process.cwd()): Config {
  const problems: string[] = [];
  const filled = substitute(raw ?? {}, base, '', problems);
  const parsed = resolvedFrom(base, () => configSchema.safeParse(filled));
  problems.push(
    ...(parsed.success
      ? [
          ...contradictions(parsed.data),
          ...retentionProblems(parsed.data.retention),
          ...listenerProblems(parsed.data.ris, parsed.data.list.enabled),
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
  return deepFreeze(withStateFolder(parsed.data));
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const ofItsKind = issue.code === 'invalid_union' ? issue.errors.find(isOfKind) : undefined;
  if (ofItsKind !== undefined)
    return ofItsKind.flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] }));
  const path = issue.path.join('.') || '(top level)';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: unknown key`);
  return [`${path}: ${issue.message}`];
}

/**
 * For a section that may be one block or a list of blocks: whether the problems are those of the form that was used.
 */
function isOfKind(problems: readonly z.core.$ZodIssue[]): boolean {
  return problems.every(({ code, path }) => code !== 'invalid_type' || path.length > 0);
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

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
