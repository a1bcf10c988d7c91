import { PassThrough } from 'node:stream';
import { watchOutputs } from '../../src/cli/outputs';

/** Exit status and errors that were told, after a failure of standard output. */
function after(code: string) {
  const told: unknown[] = [];
  const exit = jest.spyOn(process, 'exit').mockImplementation(((status?: number) => {
    throw new Error(`exit ${status ?? 'as set'}`);
  }) as never);
  try {
    const output = new PassThrough();
    watchOutputs((error) => void told.push(error), output);
    const failure = Object.assign(new Error(`${code}: write`), { code });
    expect(() => output.emit('error', failure)).toThrow(/^exit/);
    return { status: exit.mock.calls[0]?.[0], told };
  } finally {
    exit.mockRestore();
  }
}

test('a reader that closes the output early is no failure', () =>
  expect(after('EPIPE')).toEqual({ status: 0, told: [] }));

test('a full disk behind the output is told in a sentence', () => {
  const { status, told } = after('ENOSPC');
  expect(status).toBeUndefined();
  expect(told).toMatchObject([
    { code: 'OUTPUT_FAILED', message: "standard output can't be written to: its disk is full (ENOSPC)" },
  ]);
});
