import { answering } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site, type Worker } from '../support/servers/site';

/** Of Orthanc's own API nothing is left: to Hilum it is any DICOMweb server. No plug-in, no message from anybody. */
const site = Site.forTests();

beforeEach(() => void site.proxy.on(({ kind }) => kind === 'other', answering(403), Infinity));

const CATCH_UP = { kind: 'dicomweb', windowDays: 36_500, intervalMs: 500, studiesPerMinute: 6_000 } as const;
const told = (worker: Worker) =>
  worker.lines('catch-up.round').reduce((sum, fields) => sum + Number(fields['told']), 0);

test('any DICOMweb server: the search finds what is there and what comes, a restart doubles nothing, and nothing else is asked for', async () => {
  const there = [await site.put(), await site.put(2), await site.put()];
  const first = await site.work({ catchUp: CATCH_UP });
  for (const study of there) await first.saw('study.done', study);
  const late = [await site.put(), await site.put()];
  for (const study of late) await first.saw('study.done', study);
  await first.stop();
  const second = await site.work({ catchUp: CATCH_UP });
  await until('three rounds', () => second.lines('catch-up.round').length >= 3);
  expect(told(second)).toBe(0);
  expect((await second.get('/health/ready')).text).toContain('"archive":"ok"');
  expect(new Set((await site.results()).map(({ studyInstanceUid }) => studyInstanceUid))).toEqual(
    new Set([...there, ...late]),
  );
  expect(first.lines('study.done')).toHaveLength(there.length + late.length);
  expect(await Promise.all([...there, ...late].map((study) => site.stored(study)))).toEqual(
    [1, 2, 1, 1, 1].map((films) => ['CR', 'OT', 'SR'].flatMap((modality) => Array<string>(films).fill(modality))),
  );
  expect(site.proxy.requests.filter(({ kind }) => kind === 'other').map(({ path }) => path)).toEqual([]);
  expect(site.proxy.requests.length).toBeGreaterThan(20);
  expect(await site.waiting()).toBe(0);
  expect(await site.dead()).toEqual([]);
}, 120_000);

test('the search goes on after the archive failed, refused, and answered what is no DICOM JSON', async () => {
  const study = await site.put();
  const isSearch = ({ path }: { path: string }) => path.startsWith('/dicom-web/studies?StudyDate');
  const rules = [answering(500), answering(403), answering(200, { 'content-type': 'text/html' }, '<html>')].map(
    (fault) => site.proxy.on(isSearch, fault),
  );
  const worker = await site.work({ catchUp: CATCH_UP });
  await worker.saw('study.done', study);
  expect(rules.map(({ hits }) => hits)).toEqual([1, 1, 1]);
  const told = worker.lines('catch-up.failed').map((fields) => String(fields['error']));
  expect(told.map((error) => error.split(':')[0])).toEqual([
    'ARCHIVE_UNAVAILABLE',
    'ARCHIVE_UNAUTHORISED',
    'ARCHIVE_RESPONSE_INVALID',
  ]);
  await site.expectOneSet(study);
}, 60_000);
