import { warnOfOldNode } from '../../src/app/installed';
import { recordingLog } from '../support/records/logs';

test.each([
  ['20.20.2', 1],
  ['22.23.3', 0],
  ['24.21.0', 0],
])('Node %s: %i warnings at the start', (node, warnings) => {
  const log = recordingLog();
  warnOfOldNode(log, node);
  expect(log.lines).toHaveLength(warnings);
  for (const line of log.lines)
    expect(line).toMatchObject({
      level: 'warn',
      fields: { event: 'node.out-of-support', node },
      text: expect.stringContaining('Node 24 is recommended') as string,
    });
});
