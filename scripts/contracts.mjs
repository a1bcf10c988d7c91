#!/usr/bin/env node
/**
 * npm run contracts [-- --check]: what is written of the wire contracts elsewhere, from the zod schemas that are their
 * source: the JSON Schemas in docs/schemas, and the types and the wording of the reading list's pages. --check writes
 * nothing and ends with exit status 1 where a file differs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { z } from 'zod';
import { Explained, ROOT, runMain, say } from './lib/shell.mjs';
import { declarations } from './lib/typescript-of-schema.mjs';
import { requireSource } from './lib/typescript-source.mjs';

async function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const differing = [];
  for (const [file, text] of Object.entries(contracts())) {
    const formatted = await format(file, text);
    if (textOf(file) !== formatted) differing.push([file, formatted]);
  }
  if (values.check && differing.length > 0)
    throw new Explained(`not as src has it, run npm run contracts: ${differing.map(([file]) => file).join(', ')}`);
  for (const [file, text] of differing) {
    fs.writeFileSync(path.join(ROOT, file), text);
    say(file);
  }
}

function contracts() {
  const source = (file) => requireSource(path.join(ROOT, 'src', file));
  return {
    'docs/schemas/study-event.v1.json': jsonSchema(source('events/study-event.ts').studyEventSchema),
    'docs/schemas/result-event.v1.json': jsonSchema(source('events/result-event.ts').resultEventSchema),
    'docs/schemas/progress-event.v1.json': jsonSchema(source('events/progress-event.ts').progressEventSchema),
    'docs/schemas/webhook.v1.json': jsonSchema(source('sinks/webhook/message.ts').webhookMessageSchema),
    'src/web/api/api-types.d.ts': pageTypes(source('web/api/contract.ts')),
    'src/web/pages/wording.ts': pageWording(source('finding/wording.ts')),
  };
}

async function format(file, text) {
  const filepath = path.join(ROOT, file);
  return prettier.format(text, { ...(await prettier.resolveConfig(filepath)), filepath });
}

function textOf(file) {
  const filepath = path.join(ROOT, file);
  return fs.existsSync(filepath) ? fs.readFileSync(filepath, 'utf8') : null;
}

/** What may be sent: in an event, keys that the schema does not name are allowed and left alone. */
function jsonSchema(schema) {
  const { $schema, title, description, ...rest } = plain(z.toJSONSchema(schema, { io: 'input' }));
  return JSON.stringify({ $schema, title, description, ...rest });
}

function pageTypes(contract) {
  const named = z.registry();
  for (const name of Object.keys(contract).sort()) named.add(contract[name], { id: name });
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri: (name) => name });
  return `/**
 * What the reading list's API (/api/v1) takes and answers, for its pages: made from contract.ts by
 * \`npm run contracts\`. Times are ISO 8601, UTC.
 */

${declarations(plain(schemas))}`;
}

/** The pages are built by themselves: what they say of research use is the service's own wording. */
function pageWording({ RESEARCH_USE }) {
  return `// Made from src/finding/wording.ts by npm run contracts.

export const RESEARCH_USE = ${JSON.stringify(RESEARCH_USE)} as const;
`;
}

/** As one would write it by hand: without zod's own pattern of a date-time and its bound of integers, null in short. */
function plain(schema) {
  return JSON.parse(JSON.stringify(schema), (_key, value) => {
    if (value?.format === 'date-time') delete value.pattern;
    if (value?.maximum === Number.MAX_SAFE_INTEGER) delete value.maximum;
    return value?.anyOf?.length === 2 && value.anyOf[1].type === 'null' ? orNull(value) : value;
  });
}

/** A list of words or a simple type, or null. */
function orNull({ anyOf, ...rest }) {
  const { type, ...one } = anyOf[0];
  if (one.enum !== undefined) return { ...rest, ...one, enum: [...one.enum, null] };
  const isSimple = ['string', 'number', 'integer', 'boolean'].includes(type);
  return isSimple ? { ...rest, type: [type, 'null'], ...one } : { ...rest, anyOf };
}

await runMain(main);
