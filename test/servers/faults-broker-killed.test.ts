import type { Uid } from '../../src/dicom/uid';
import type { Match } from '../support/servers/fault-proxy';
import { after, beforeAnswer, type Fault, finds, following, nth, retrieves, stores } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

const site = Site.forTests();
let back: Promise<void> = Promise.resolve();

async function killAndStart(): Promise<void> {
  await site.rabbit.kill();
  back = site.rabbit.start();
}

/** A frozen broker takes a message into its socket and never confirms it. Killed a while later, it has not read it. */
async function freeze(): Promise<void> {
  process.kill(site.rabbit.pid, 'SIGSTOP');
  back = new Promise((resolve) => setTimeout(resolve, 2_000))
    .then(() => site.rabbit.kill())
    .then(() => site.rabbit.start());
}

const MOMENTS: [
  moment: string,
  match: (study: Uid) => Match,
  fault: (act: () => Promise<void>) => Fault,
  act: () => Promise<void>,
][] = [
  ['while a study is worked on', (study) => nth(1, retrieves(study)), after, killAndStart],
  [
    'after the last STOW, before the acknowledgement',
    (study) => following(2, stores(study), finds(study)),
    beforeAnswer,
    killAndStart,
  ],
  ['while the result is announced', (study) => following(2, stores(study), finds(study)), beforeAnswer, freeze],
];

test.each(MOMENTS)(
  'broker killed and back: %s',
  async (_moment, match, fault, act) => {
    const study = await site.put();
    const rule = site.proxy.on(match(study), fault(act));
    const worker = await site.work();
    await site.tell(study);
    await worker.saw('study.received', study);
    await until('the broker is killed', () => rule.hits === 1, 60_000);
    await until('the loss is seen', () => worker.lines('broker.disconnected').length > 0);
    expect((await worker.get('/health/ready')).text).toContain('not connected to the broker');
    await back;
    await worker.saw('study.done', study, 60_000);
    await until('the service is ready', async () => (await worker.get('/health/ready')).status === 200);
    // The message comes again: its acknowledgement, if there was one, is lost. Told twice is allowed, stored twice is
    // not.
    expect((await site.expectOneSet(study)).length).toBeLessThanOrEqual(2);
    expect(site.proxy.requests.filter((request) => stores(study)(request, []))).toHaveLength(2);
  },
  180_000,
);
