import { examineAccess } from '../../src/app/doctor/access';
import { parseConfig } from '../../src/config/config';
import { certificate } from '../support/servers/certificates';

const configOf = (settings: object) =>
  parseConfig({ archive: { url: 'http://localhost/dicom-web' }, broker: { url: 'amqp://localhost' }, ...settings });

test('a certificate that soon expires, has expired or is none is named', async () => {
  const tls = certificate();
  const config = configOf({
    http: { host: '0.0.0.0', tls: { certFile: tls.certFile, keyFile: tls.keyFile } },
    access: { kind: 'local' },
  });
  const at = async (daysFromNow: number) =>
    (await examineAccess(config, Date.now() + daysFromNow * 86_400_000)).find(
      ({ check }) => check === 'access: certificate',
    );
  expect(await at(0)).toMatchObject({
    ok: false,
    text: expect.stringMatching(/^good for [12] days, .*: renew it$/) as string,
  });
  expect(await at(-60)).toMatchObject({ ok: true });
  expect(await at(5)).toMatchObject({ ok: false, text: expect.stringContaining('expired on') as string });
  const none = configOf({
    http: { host: '0.0.0.0', tls: { certFile: tls.keyFile, keyFile: tls.keyFile } },
    access: { kind: 'local' },
  });
  expect((await examineAccess(none))[1]).toMatchObject({ ok: false });
  tls.remove();
});

test('a plain way from the proxy and the lack of a sign-in are named', async () => {
  const proxied = configOf({
    http: { host: '10.0.0.1', trustedProxies: ['10.0.0.9'], publicUrl: 'https://hilum.example' },
    access: { kind: 'local' },
  });
  expect((await examineAccess(proxied))[0]!.text).toContain('the way from the proxy is not encrypted');
  expect((await examineAccess(configOf({})))[0]!.text).toBe('only this machine is served, without sign-in');
});
