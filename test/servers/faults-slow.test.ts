import type { Uid } from '../../src/dicom/uid';
import type { Match } from '../support/servers/fault-proxy';
import {
  delayed,
  dripping,
  type Fault,
  finds,
  hanging,
  nth,
  retrieves,
  stalling,
  stores,
} from '../support/servers/faults';
import { Site } from '../support/servers/site';

const site = Site.forTests();

/** The archive may be silent for 2.5 s, and take 4 s for a whole request. */
const ARCHIVE = { responseTimeoutMs: 2_500, storeTimeoutMs: 2_500, requestTimeoutMs: 4_000 };

const GIVEN_UP: [name: string, match: (study: Uid) => Match, fault: Fault, reason: string][] = [
  ['hangs in a query (QIDO-RS)', finds, hanging, 'ARCHIVE_TIMEOUT'],
  ['stalls within the answer to a query', finds, stalling, 'ARCHIVE_TIMEOUT'],
  ['hangs before it sends a film (WADO-RS)', retrieves, hanging, 'ARCHIVE_TIMEOUT'],
  ['stalls within a film', retrieves, stalling, 'ARCHIVE_TIMEOUT'],
  ['drips a film byte by byte', retrieves, dripping(20), 'ARCHIVE_TIMEOUT'],
  ['hangs in a store (STOW-RS)', stores, hanging, 'STORE_NOT_CONFIRMED'],
  ['is slower to store than may be', stores, delayed(4_000), 'STORE_NOT_CONFIRMED'],
];

test.each(GIVEN_UP)(
  'an archive that %s is given up in time; others are served, and the study is done at the next try',
  async (_name, match, fault, reason) => {
    const [study, other] = [await site.put(), await site.put()];
    const rule = site.proxy.on(nth(1, match(study)), fault);
    const worker = await site.work({ archive: ARCHIVE });
    const started = Date.now();
    await site.tell(study);
    await site.tell(other);
    expect(await worker.saw('study.retry', study)).toMatchObject({ reason });
    expect(Date.now() - started).toBeLessThan(15_000);
    await worker.saw('study.done', other);
    await worker.saw('study.done', study);
    expect(rule.hits).toBe(1);
    await site.expectOneSet(study);
  },
  60_000,
);

test('an archive that is slow, but within its time, costs no try', async () => {
  const study = await site.put();
  site.proxy.on(() => true, delayed(500), 100);
  const worker = await site.work({ archive: ARCHIVE });
  await site.tell(study);
  await worker.saw('study.done', study);
  expect(worker.lines('study.retry')).toEqual([]);
  await site.expectOneSet(study);
}, 60_000);
