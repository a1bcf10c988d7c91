import { authority, certificate, type Shown } from '../support/servers/certificates';
import { FaultProxy } from '../support/servers/fault-proxy';
import { Site } from '../support/servers/site';

const own = authority();
const stranger = certificate();
const site = Site.forTests();
/** TLS before the archive, as sites put there; the second one asks for a client certificate. */
let gate: FaultProxy;
let strictGate: FaultProxy;

beforeAll(async () => {
  gate = await FaultProxy.open(site.orthanc.url, own.good);
  strictGate = await FaultProxy.open(site.orthanc.url, {
    ...own.good,
    ca: own.ca,
    requestCert: true,
    rejectUnauthorized: true,
  });
});
afterEach(() => gate.setCertificate(own.good));
afterAll(async () => {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await gate?.close();
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- unset where beforeAll failed
  await strictGate?.close();
  own.remove();
  stranger.remove();
});

const REFUSED: [name: string, shown: Shown, code: string][] = [
  ['a certificate of an unknown authority', stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['an expired certificate', own.expired, 'CERT_HAS_EXPIRED'],
  ['the certificate of another host', own.wrongHost, 'ERR_TLS_CERT_ALTNAME_INVALID'],
];

test.each(REFUSED)(
  '%s is not talked to, the log names the cause, and the study is done once the right one is shown',
  async (_name, shown, code) => {
    gate.setCertificate(shown);
    const study = await site.put();
    const worker = await site.work({
      archive: { url: gate.dicomWebUrl, tls: { caFile: own.caFile, rejectUnauthorized: true } },
    });
    await site.tell(study);
    const { reason, error } = await worker.saw('study.retry', study);
    expect(reason).toBe('ARCHIVE_UNREACHABLE');
    expect(error).toContain(`(${code})`);
    const ready = await worker.get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.text).toContain(code);
    expect(gate.requests).toEqual([]);
    gate.setCertificate(own.good);
    await site.expectOneSet(study);
  },
  120_000,
);

test('without the authority among the trusted ones, a good certificate is refused by name', async () => {
  const study = await site.put();
  const worker = await site.work({ archive: { url: gate.dicomWebUrl }, broker: { retryLimit: 1 } });
  await site.tell(study);
  expect(await worker.saw('study.dead', study)).toMatchObject({ reason: 'ARCHIVE_UNREACHABLE' });
  expect(String(worker.lines('study.dead')[0]!['error'])).toMatch(/UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/);
  expect(gate.requests).toEqual([]);
  await worker.stop();
  await site.work({ archive: { url: gate.dicomWebUrl, tls: { caFile: own.caFile, rejectUnauthorized: true } } });
  await site.dead(true);
  await site.expectOneSet(study);
}, 120_000);

test('an archive that demands a client certificate: without one it is away, with one all works', async () => {
  const study = await site.put();
  const archive = { url: strictGate.dicomWebUrl };
  const bare = await site.work({ archive: { ...archive, tls: { caFile: own.caFile, rejectUnauthorized: true } } });
  await site.tell(study);
  expect(await bare.saw('study.retry', study)).toMatchObject({ reason: 'ARCHIVE_UNREACHABLE' });
  expect((await bare.get('/health/ready')).text).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|UND_ERR_SOCKET/);
  await bare.stop();
  expect(strictGate.requests).toEqual([]);
  await site.work({
    archive: {
      ...archive,
      tls: { caFile: own.caFile, certFile: own.good.certFile, keyFile: own.good.keyFile, rejectUnauthorized: true },
    },
  });
  await site.expectOneSet(study);
}, 120_000);
