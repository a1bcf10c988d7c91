import { PassThrough } from 'node:stream';
import { ask, askPassword } from '../../src/cli/ask';

/** A terminal, as far as readline looks at it. */
function terminal() {
  const stream = () => Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const [input, output] = [stream(), stream()];
  output.resume();
  return { input, given: { input, output } as unknown as Parameters<typeof ask>[2] };
}

test.each([
  ['a question with a default', (given: Parameters<typeof ask>[2]) => ask('Keep a list', 'yes', given)],
  ['a password', (given: Parameters<typeof ask>[2]) => askPassword('Password', given)],
])('%s: Ctrl-C ends the command, and is no answer', async (_name, question) => {
  const exit = jest.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
  try {
    const { input, given } = terminal();
    const asked = question(given);
    input.write('\u0003');
    await asked;
    expect(exit).toHaveBeenCalledWith(130);
  } finally {
    exit.mockRestore();
  }
});

test('Enter alone gives the default, and a line the answer', async () => {
  const { input, given } = terminal();
  const first = ask('Keep a list', 'yes', given);
  input.write('\r');
  expect(await first).toBe('yes');
  const second = ask('Keep a list', 'yes', given);
  input.write('no\r');
  expect(await second).toBe('no');
});
