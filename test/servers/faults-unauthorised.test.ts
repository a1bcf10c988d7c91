import { UNAUTHORISED_RETRIES } from '../../src/queue/retry-policy';
import { answering, finds, retrieves, stores } from '../support/servers/faults';
import { Site } from '../support/servers/site';

const USER = { username: 'hilum', password: 'p:äss' };
const site = Site.forTests({ user: USER });

test('401 by the archive itself: asked for four times, given up, finished by a replay with the password', async () => {
  const study = await site.put();
  const worker = await site.work({ archive: { auth: { kind: 'basic', ...USER, password: 'expired' } } });
  await site.tell(study);
  expect(await worker.saw('study.dead', study)).toMatchObject({
    reason: 'ARCHIVE_UNAUTHORISED',
    attempt: UNAUTHORISED_RETRIES + 1,
  });
  expect(worker.lines('study.retry')).toHaveLength(UNAUTHORISED_RETRIES);
  expect((await worker.get('/health/ready')).text).toContain('HTTP 401');
  expect((await worker.get('/metrics')).text).toContain(
    `hilum_failures_total{code="ARCHIVE_UNAUTHORISED"} ${UNAUTHORISED_RETRIES + 1}\n`,
  );
  expect(JSON.stringify(worker.log.lines)).not.toContain('expired');
  const [letter] = await site.dead();
  expect(letter).toMatchObject({ studyInstanceUid: study, reason: 'ARCHIVE_UNAUTHORISED' });
  expect(letter!.attempts.map(({ code }) => code)).toEqual(
    Array(UNAUTHORISED_RETRIES + 1).fill('ARCHIVE_UNAUTHORISED'),
  );
  expect(await site.stored(study)).toEqual(['CR']);
  await worker.stop();
  await site.work();
  await site.dead(true);
  await site.expectOneSet(study);
}, 60_000);

test.each([
  ['query', finds],
  ['retrieve', retrieves],
  ['store', stores],
])(
  '403 to a %s only: given up after four tries, and finished by a replay once it is allowed',
  async (_action, match) => {
    const study = await site.put();
    const rule = site.proxy.on(match(study), answering(403), 100);
    const worker = await site.work();
    await site.tell(study);
    expect(await worker.saw('study.dead', study)).toMatchObject({
      reason: 'ARCHIVE_UNAUTHORISED',
      attempt: UNAUTHORISED_RETRIES + 1,
    });
    expect(rule.hits).toBe(UNAUTHORISED_RETRIES + 1);
    rule.clear();
    expect((await site.dead(true)).map(({ reason }) => reason)).toEqual(['ARCHIVE_UNAUTHORISED']);
    await site.expectOneSet(study);
  },
  60_000,
);

test('a token that is renewed in time costs a try and no study', async () => {
  const study = await site.put();
  site.proxy.on(finds(study), answering(401), UNAUTHORISED_RETRIES);
  const worker = await site.work();
  await site.tell(study);
  await worker.saw('study.done', study);
  expect(worker.lines('study.retry').filter(({ reason }) => reason === 'ARCHIVE_UNAUTHORISED')).toHaveLength(
    UNAUTHORISED_RETRIES,
  );
  await site.expectOneSet(study);
}, 60_000);

test('an archive that was away for longer, and then refuses the sign-in while it starts: the outage has not used up the tries', async () => {
  const study = await site.put();
  site.proxy.on(finds(study), answering(503), UNAUTHORISED_RETRIES + 2);
  site.proxy.on(finds(study), answering(401), UNAUTHORISED_RETRIES);
  const worker = await site.work();
  await site.tell(study);
  await worker.saw('study.done', study);
  const reasons = worker.lines('study.retry').map(({ reason }) => reason);
  expect(reasons.slice(-UNAUTHORISED_RETRIES)).toEqual(Array(UNAUTHORISED_RETRIES).fill('ARCHIVE_UNAUTHORISED'));
  expect(reasons.length).toBeGreaterThan(UNAUTHORISED_RETRIES + 1);
  await site.expectOneSet(study);
}, 60_000);
