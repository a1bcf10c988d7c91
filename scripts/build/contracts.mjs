#!/usr/bin/env node
/**
 * npm run contracts [-- --check]: what is written of the wire contracts elsewhere, from the zod schemas that are their
 * source: the JSON Schemas in docs/schemas, and the types of the reading list's pages; and of the message catalogues
 * what each message needs, what the pages say it with, and the table of the clinical wording. --check writes nothing
 * and ends with exit status 1 where a file differs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { z } from 'zod';
import { Explained, ROOT, runMain, say } from '../lib/shell.mjs';
import { declarations } from '../lib/typescript-of-schema.mjs';
import { requireSource } from '../lib/typescript-source.mjs';

const WORDING = 'docs/wording.md';

async function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  /** @type {[string, string][]} */
  const differing = [];
  for (const [file, text] of Object.entries(contracts())) {
    // Prettier would fill each cell up to the longest sentence.
    const formatted = file === WORDING ? text : await format(file, text);
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
    'src/language/messages.d.ts': messageTypes(catalogue('en')),
    'src/web/pages/say.ts': pageSay(textOf('src/language/say.ts')),
    [WORDING]: wordingTable(textOf(WORDING), Object.keys(source('language/say.ts').LANGUAGES)),
  };
}

async function format(file, text) {
  const filepath = path.join(ROOT, file);
  return prettier.format(text, { ...(await prettier.resolveConfig(filepath)), filepath });
}

/** Nothing where there is no such file yet. */
function textOf(file) {
  const filepath = path.join(ROOT, file);
  return fs.existsSync(filepath) ? fs.readFileSync(filepath, 'utf8') : '';
}

/** What may be sent: in an event, keys that the schema does not name are allowed and left alone. */
function jsonSchema(schema) {
  const { $schema, title, description, ...rest } = plain(z.toJSONSchema(schema, { io: 'input' }));
  return JSON.stringify({ $schema, title, description, ...rest });
}

function pageTypes(contract) {
  /** @type {import('zod').core.$ZodRegistry<{id?: string}>} */
  const named = z.registry();
  for (const name of Object.keys(contract).sort()) named.add(contract[name], { id: name });
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri: (name) => name });
  return `/**
 * What the reading list's API (/api/v1) takes and answers, for its pages: made from contract.ts by
 * \`npm run contracts\`. Times are ISO 8601, UTC.
 */

${declarations(plain(schemas))}`;
}

const catalogue = (language) => JSON.parse(textOf(`src/language/catalogues/${language}.json`));

/** What each message needs to be filled in, by the English catalogue. */
function messageTypes(messages) {
  const lines = Object.entries(messages).map(([key, message]) => {
    const names = new Set([...JSON.stringify(message).matchAll(/\{(\w+)\}/g)].map(([, name]) => `'${name}'`));
    return `'${key}': ${names.size === 0 ? 'never' : [...names].join(' | ')};`;
  });
  return `/**
 * What each message needs to be filled in: made from catalogues/en.json by \`npm run contracts\`.
 */
export interface Messages {
${lines.join('\n')}
}
`;
}

/** The pages are built by themselves: what they say is said as the service does. */
function pageSay(text) {
  return `// Made from src/language/say.ts by npm run contracts.

${text.replace("'./messages'", "'../../language/messages.js'")}`;
}

/** Messages that say what a result means, or what it does not: one list, to be looked through by a clinician. */
const CLINICAL = /^(research|result|reason|warning|remark|email\.(subject|opening)|evaluation\.limits)\./;

/** The page with its table made anew; what stands above the table is written by hand. */
function wordingTable(page, languages) {
  const catalogues = languages.map(catalogue);
  const cell = (message) => (typeof message === 'string' ? [message] : Object.values(message)).join(' / ').trim();
  const rows = Object.keys(catalogues[0])
    .filter((key) => CLINICAL.test(key))
    .map((key) => [`\`${key}\``, ...catalogues.map((messages) => cell(messages[key]).replaceAll('|', '\\|'))]);
  const table = [['key', ...languages], ['---', ...languages.map(() => '---')], ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  return `${page.slice(0, page.indexOf('<!-- table -->'))}<!-- table -->\n\n${table.join('\n')}\n`;
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
