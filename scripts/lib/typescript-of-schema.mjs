/**
 * TypeScript declarations from JSON Schemas as zod writes them: everything readonly, with its description as a comment,
 * one exported name for each schema. A keyword that it does not know is an error.
 */
import { Explained } from './shell.mjs';

/** @param {Record<string, object>} schemas by name; one refers to another by that name */
export function declarations(schemas) {
  return Object.entries(schemas)
    .map(([name, schema]) => {
      const head = schema.properties === undefined ? `type ${name} =` : `interface ${name}`;
      return `${comment(schema)}export ${head} ${typeOf(schema)}`;
    })
    .join('\n\n');
}

function typeOf(schema) {
  const { $ref, type, items, prefixItems } = schema;
  if ($ref !== undefined) return $ref;
  if ('const' in schema) return JSON.stringify(schema.const);
  const options = schema.enum?.map((value) => JSON.stringify(value)) ?? (schema.anyOf ?? schema.oneOf)?.map(typeOf);
  if (options !== undefined) return options.join(' | ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'array')
    return prefixItems ? `readonly [${prefixItems.map(typeOf).join(', ')}]` : `readonly (${typeOf(items)})[]`;
  if (type === 'object') return schema.properties ? objectOf(schema) : mapOf(schema);
  if (type === 'integer') return 'number';
  if (['string', 'number', 'boolean', 'null'].includes(type)) return type;
  throw new Explained(`no TypeScript for the JSON Schema ${JSON.stringify(schema)}`);
}

function objectOf({ properties, required = [] }) {
  const members = Object.entries(properties).map(
    ([key, schema]) => `${comment(schema)}readonly ${key}${required.includes(key) ? '' : '?'}: ${typeOf(schema)};`,
  );
  return `{ ${members.join('\n')} }`;
}

function mapOf({ propertyNames, additionalProperties }) {
  return `Readonly<Record<${typeOf(propertyNames)}, ${typeOf(additionalProperties)}>>`;
}

function comment({ description }) {
  return description === undefined ? '' : `/** ${description} */\n`;
}
