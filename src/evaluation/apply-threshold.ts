import { chownSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { writeAtomically } from '../base/atomic-file';
import { parseYaml } from '../base/yaml';

/**
 * Writes an operating point into a configuration file, whole or not at all, and changes nothing else; comments are
 * kept.
 * @param finding whose rule in `findings.rules` gets it; null: `classification.threshold`, for the first finding
 * @param check called with the path of the new file before it replaces the old one; throws when the file is no valid
 * configuration
 * @throws HilumError CONFIG_INVALID when the file is no YAML
 */
export async function applyThreshold(
  config: string,
  { threshold, finding }: { readonly threshold: number; readonly finding: string | null },
  check: (path: string) => void,
): Promise<void> {
  // A symbolic link is resolved, as a rename would replace the link.
  const path = await realpath(config);
  const text = await readFile(path, 'utf8');
  const { document } = parseYaml(text, config);
  const { mode, uid, gid } = await stat(path);
  const written = finding === null ? withThreshold(text, document, threshold) : withRule(document, finding, threshold);
  await writeAtomically(path, written, {
    mode: mode & 0o7777,
    check(beside) {
      check(beside);
      // Run by root, it must stay readable by the service's account.
      if (process.geteuid?.() === 0) chownSync(beside, uid, gid);
    },
  });
}

/**
 * The text with one key changed or added. Only where that fails the whole document is written anew, which keeps
 * comments but not the spacing.
 */
function withThreshold(text: string, document: Document, threshold: number): string {
  const edited = edit(text, document, threshold);
  const section = document.get('classification', true);
  if (isScalar(section) && section.value === null) document.delete('classification');
  document.setIn(['classification', 'threshold'], threshold);
  const parsed = edited === null ? null : parseDocument(edited);
  return edited !== null && parsed?.errors.length === 0 && isDeepStrictEqual(parsed.toJS(), document.toJS())
    ? edited
    : document.toString({ lineWidth: 0 });
}

/**
 * The document with the threshold in the finding's rule, which is added if missing; comments are kept, spacing may
 * change.
 */
function withRule(document: Document, finding: string, threshold: number): string {
  const rules = document.getIn(['findings', 'rules']);
  const at = isSeq(rules) ? rules.items.findIndex((rule) => isMap(rule) && rule.get('finding') === finding) : -1;
  if (at >= 0) document.setIn(['findings', 'rules', at, 'threshold'], threshold);
  else if (isSeq(rules)) document.addIn(['findings', 'rules'], { finding, threshold });
  else document.setIn(['findings', 'rules'], document.createNode([{ finding, threshold }]));
  return document.toString({ lineWidth: 0 });
}

/** Null where the key can't be inserted as text; the caller checks the result. */
function edit(text: string, document: Document, threshold: number): string | null {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const replace = ([from, to]: readonly [number, number], by: string) => text.slice(0, from) + by + text.slice(to);
  const value = document.getIn(['classification', 'threshold'], true);
  if (isScalar(value)) return value.range ? replace([value.range[0], value.range[1]], String(threshold)) : null;
  const section = document.get('classification', true);
  if (isMap(section)) return into(text, section, `threshold: ${threshold}`, `"threshold": ${threshold}`, end);
  if (section !== undefined) return null;
  if (isMap(document.contents) && document.contents.flow)
    return into(text, document.contents, '', `"classification": {"threshold": ${threshold}}`, end);
  return `${text}${text === '' || text.endsWith('\n') ? '' : end}classification:${end}  threshold: ${threshold}${end}`;
}

/** Inserts a key as the first item of a map: on a line of its own, or after the opening brace. */
function into(text: string, map: YAMLMap, line: string, item: string, end: string): string | null {
  const first = map.items[0]?.key;
  if (!map.range) return null;
  const brace = map.range[0] + 1;
  if (map.flow) return `${text.slice(0, brace)}${item}${first === undefined ? '' : ', '}${text.slice(brace)}`;
  const at = isScalar(first) ? first.range?.[0] : undefined;
  if (at === undefined) return null;
  return `${text.slice(0, at)}${line}${end}${text.slice(text.lastIndexOf('\n', at - 1) + 1, at)}${text.slice(at)}`;
}
