import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examine } from '../../src/app/doctor/doctor';
import { SmtpServer } from '../support/receivers/smtp-server';
import { UpsServer } from '../support/receivers/ups-server';

const dir = mkdtempSync(join(tmpdir(), 'hilum-test-doctor-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Archive and broker are away: the deliveries are looked at all the same. */
async function findings(deliveries: object): Promise<Map<string, { ok: boolean; text: string }>> {
  const config = join(dir, 'hilum.json');
  writeFileSync(
    config,
    JSON.stringify({
      archive: { url: 'http://127.0.0.1:9/dicom-web' },
      broker: { url: 'amqp://127.0.0.1:9' },
      deliveries,
    }),
  );
  return new Map((await examine(config)).map(({ check, ...rest }) => [check, rest]));
}

test('each delivery that is switched on is tried, and no other', async () => {
  const [ups, mail] = [await UpsServer.open(), await SmtpServer.open()];
  const email = {
    enabled: true,
    host: '127.0.0.1',
    port: mail.port,
    security: 'none',
    from: 'a@b.example',
    to: ['c@d.example'],
  };
  const webhook = { enabled: true, url: 'http://127.0.0.1:9/', secret: `whsec_${Buffer.alloc(32).toString('base64')}` };
  try {
    const found = await findings({ ups: { enabled: true, url: ups.url }, email, webhook });
    expect(found.get('receiver: ups')).toMatchObject({ ok: true });
    expect(found.get('receiver: email')).toMatchObject({ ok: true });
    expect(found.get('receiver: webhook')).toMatchObject({
      ok: false,
      text: expect.stringContaining('RECEIVER_UNREACHABLE'),
    });
    expect([...found.keys()].filter((check) => check.startsWith('receiver'))).toHaveLength(3);
    expect(ups.requests.map(({ method }) => method)).toEqual(['GET']);
  } finally {
    await Promise.all([ups.close(), mail.close()]);
  }
});

test('a TLS file that is not there is a finding', async () => {
  const found = await findings({
    ups: { enabled: true, url: 'https://127.0.0.1:9/', tls: { caFile: '/nowhere/ca.pem' } },
  });
  expect(found.get('receivers')).toMatchObject({ ok: false, text: expect.stringContaining('/nowhere/ca.pem') });
});
