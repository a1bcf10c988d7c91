import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * Reads the first line of standard input; a terminal shows a prompt and no echo. Never an argument: those are visible
 * in the list of processes and in the shell's history.
 */
export async function askPassword(question = 'Password'): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) process.stderr.write(`${question}: `);
  const lines = createInterface({
    input: process.stdin,
    terminal: isTerminal,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}

/** Asks for one line at a terminal; Enter alone gives the default, which is shown in brackets. */
export async function ask(question: string, byDefault = ''): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.question(`${question}${byDefault === '' ? '' : ` [${byDefault}]`}: `, resolve);
      lines.once('close', () => resolve(''));
    });
    return answer.trim() || byDefault;
  } finally {
    lines.close();
  }
}
