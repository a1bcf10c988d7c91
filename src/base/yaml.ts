import { type Document, LineCounter, parseDocument } from 'yaml';
import { HilumError } from './errors';

/**
 * Parses a configuration file. An error says where the file is wrong and quotes nothing of it, as the parser's own
 * messages and warnings do: the line may hold a password.
 * @throws HilumError CONFIG_INVALID
 */
export function parseYaml(text: string, path: string): { readonly document: Document; readonly value: unknown } {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw invalid(path, `line ${line}, column ${col}: ${error.code}`);
  }
  try {
    return { document, value: document.toJS() };
  } catch {
    throw invalid(path, 'an alias without its anchor, or too many aliases');
  }
}

const invalid = (path: string, why: string) =>
  new HilumError('CONFIG_INVALID', 'permanent', `${path} can't be read as YAML: ${why}`);
