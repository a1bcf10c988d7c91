import { dicomWebArchive } from '../../src/archive/dicomweb';
import type { EncodedObject } from '../../src/dicom/part10';
import { parseUid } from '../../src/dicom/uid';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../src/objects/synthetic-film';
import {
  answering,
  droppingAnswer,
  type Fault,
  hangingAfter,
  nth,
  resetting,
  stores,
  storingOnly,
  truncating,
} from '../support/servers/faults';
import { Site } from '../support/servers/site';

const site = Site.forTests();

/** Each fault meets the STOW of the report, when the heat map is stored. `again`: it has to be sent once more. */
const PASSING: [name: string, fault: Fault, times: number, reason: string | null, again: number][] = [
  ['stored, but the answer never comes', hangingAfter, 1, null, 0],
  ['stored, but the connection is lost before the answer', droppingAnswer, 1, null, 0],
  ['stored, but the answer breaks off', truncating, 1, null, 0],
  ['the connection is lost before the archive hears of it', resetting, 1, 'STORE_NOT_CONFIRMED', 1],
  ['200 with a FailedSOPSequence', storingOnly(0, 200), 1, 'STORE_FAILED', 1],
  ['202 with a FailedSOPSequence', storingOnly(0, 202), 1, 'STORE_FAILED', 1],
  ['409 with a FailedSOPSequence', storingOnly(0, 409), 1, 'STORE_FAILED', 1],
  ['200 without a word about the object', answering(200, {}, '{}'), 1, 'STORE_NOT_CONFIRMED', 1],
  ['500 twice, then fine', answering(500), 2, 'ARCHIVE_UNAVAILABLE', 2],
  ['400 of a full store (0xA700), as DICOMweb 1.20 answers', storingOnly(0, 400), 1, 'STORE_FAILED', 1],
  ['507 Insufficient Storage', answering(507), 1, 'ARCHIVE_UNAVAILABLE', 1],
  ['429 Too Many Requests', answering(429, { 'retry-after': '0' }), 1, 'ARCHIVE_UNAVAILABLE', 1],
];

test.each(PASSING)(
  'STOW: %s, ends in one stored set',
  async (_name, fault, times, reason, again) => {
    const study = await site.put();
    const rule = site.proxy.on(
      (request, before) =>
        stores(study)(request, before) && before.filter((earlier) => stores(study)(earlier, [])).length >= 1,
      fault,
      times,
    );
    const worker = await site.work();
    await site.tell(study);
    const events = await site.expectOneSet(study);
    expect(rule.hits).toBe(times);
    expect(site.proxy.requests.filter((request) => stores(study)(request, []))).toHaveLength(2 + again);
    expect(worker.lines('study.retry').map((fields) => fields['reason'])).toEqual(
      Array(times)
        .fill(reason)
        .filter((expected) => expected !== null),
    );
    expect(events).toHaveLength(1);
  },
  60_000,
);

test('STOW: 503 with Retry-After is tried again when the archive said, not before', async () => {
  const study = await site.put();
  site.proxy.on(nth(1, stores(study)), answering(503, { 'retry-after': '2' }));
  const worker = await site.work({ broker: { retryDelaysMs: [300, 2_500] } });
  await site.tell(study);
  const { reason, delaySeconds } = await worker.saw('study.retry', study);
  const started = Date.now();
  // There is a queue for 2.5 s, and none for 2.
  expect({ reason, delaySeconds }).toEqual({ reason: 'ARCHIVE_UNAVAILABLE', delaySeconds: 2.5 });
  await worker.saw('study.done', study);
  expect(Date.now() - started).toBeGreaterThan(2_000);
  await site.expectOneSet(study);
}, 60_000);

test.each([
  ['409 that says the SOP class is not supported', storingOnly(0, 409, 0x0122), 'STORE_FAILED'],
  ['400', answering(400), 'ARCHIVE_REFUSED'],
  ['400 that says the SOP class is not supported', storingOnly(0, 400, 0x0122), 'STORE_FAILED'],
  ['404', answering(404), 'NOT_FOUND'],
])(
  'STOW: %s is not tried again, and a replay does it when the archive is mended',
  async (_name, fault, reason) => {
    const study = await site.put();
    const rule = site.proxy.on(stores(study), fault, 100);
    const worker = await site.work();
    await site.tell(study);
    expect(await worker.saw('study.dead', study)).toMatchObject({ reason });
    expect(rule.hits).toBe(1);
    expect((await site.dead()).map((letter) => letter.reason)).toEqual([reason]);
    expect((await worker.get('/metrics')).text).toContain(`hilum_failures_total{code="${reason}"} 1\n`);
    rule.clear();
    await site.dead(true);
    await site.expectOneSet(study);
  },
  60_000,
);

test.each([200, 202, 409])(
  'a request with two objects of which one is stored, answered %d: the other is named, and the next request stores it',
  async (status) => {
    const objects = [1, 2].map((instance): EncodedObject => {
      const film: SyntheticObject = { seed: 900_000 + status, view: 'PA', rows: 96, columns: 80, instance };
      return {
        ...syntheticUids(film),
        sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.1'),
        bytes: syntheticDicom(film),
      };
    });
    const study = syntheticUids({ seed: 900_000 + status, view: 'PA', rows: 96, columns: 80 }).studyInstanceUid;
    const archive = dicomWebArchive({ url: site.proxy.dicomWebUrl });
    site.proxy.on(stores(study), storingOnly(1, status));
    const failure: unknown = await archive.store(study, objects).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'STORE_FAILED', lasting: 'transient' });
    expect(String(failure)).toContain(objects[1]!.sopInstanceUid);
    expect(String(failure)).not.toContain(objects[0]!.sopInstanceUid);
    expect(await site.stored(study)).toEqual(['CR']);
    await archive.store(study, objects);
    expect(await site.stored(study)).toEqual(['CR', 'CR']);
    await archive.close();
  },
);
