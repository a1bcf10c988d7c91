import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../src/app/app';
import { Opened } from '../../src/app/opened';
import { createLog } from '../../src/base/log';
import { parseConfig } from '../../src/config/config';
import { recordingLog } from '../support/records/logs';
import { portOf, StartSite } from '../support/servers/start-site';

let site: StartSite;
beforeAll(async () => void (site = await StartSite.open()));
afterAll(() => site.close());

test('a start that fails has closed broker, port and database, and leaves nothing in the audit trail', async () => {
  const log = recordingLog();
  const config = site.settings(portOf(site.taken), { access: { kind: 'local' } });
  const app = await createApp(parseConfig(config), log);
  await expect(app.start()).rejects.toMatchObject({ code: 'LISTEN_FAILED', lasting: 'permanent' });
  expect(log.lines.map(({ fields }) => fields.event)).toEqual(
    expect.arrayContaining(['broker.stopped', 'service.stopped']),
  );
  const before = site.connections.length;
  await new Promise((wait) => setTimeout(wait, 1_500));
  expect(site.connections).toHaveLength(before);
  expect(() => readFileSync(join(site.dir, 'audit', 'audit.log'))).toThrow('ENOENT');
});

test('where a part can not be opened, those before it are closed again, the latest first', async () => {
  const closed: string[] = [];
  const opened = new Opened();
  expect(opened.add('a', async (part) => void closed.push(part))).toBe('a');
  opened.add(null, async () => void closed.push('none'));
  opened.add('b', () => Promise.reject(new Error('will not')));
  opened.add('c', async (part) => void closed.push(part));
  await opened.close();
  await opened.close();
  expect(closed).toEqual(['c', 'a']);
});

test('an application that can not be made leaves no connection to the broker', async () => {
  const wrong = {
    ...site.settings(0),
    access: { kind: 'local' },
    roles: ['worker'],
    models: { dir: join(site.dir, 'none') },
  };
  await expect(createApp(parseConfig(wrong), createLog('silent'))).rejects.toMatchObject({
    code: expect.any(String) as string,
  });
  const before = site.connections.length;
  await new Promise((wait) => setTimeout(wait, 1_500));
  expect(site.connections).toHaveLength(before);
});
