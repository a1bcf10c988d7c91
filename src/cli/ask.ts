import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

/** Where questions are asked. */
interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

const ours = (): Terminal => ({ input: process.stdin, output: process.stderr });

/** Exit status after Ctrl-C, as shells have it. */
const INTERRUPTED = 130;

/**
 * Reads the first line of standard input; a terminal shows a prompt and no echo. Never an argument: those are visible
 * in the list of processes and in the shell's history.
 */
export async function askPassword(question = 'Password', { input, output } = ours()): Promise<string> {
  const isTerminal = input.isTTY;
  if (isTerminal) output.write(`${question}: `);
  const lines = createInterface({
    input,
    terminal: isTerminal,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  endAtInterrupt(lines, output);
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTerminal) output.write('\n');
  }
}

/** Asks for one line at a terminal; Enter alone gives the default, which is shown in brackets. */
export async function ask(question: string, byDefault = '', { input, output } = ours()): Promise<string> {
  const lines = createInterface({ input, output });
  endAtInterrupt(lines, output);
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

/** Without this, readline takes Ctrl-C for the end of the input, and the question for answered. */
function endAtInterrupt(lines: Interface, output: Terminal['output']): void {
  lines.once('SIGINT', () => {
    lines.close();
    output.write('\n');
    process.exit(INTERRUPTED);
  });
}
