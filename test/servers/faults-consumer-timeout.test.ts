import { readFileSync } from 'node:fs';
import { delayed, nth, retrieves } from '../support/servers/faults';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

/** A message may be in hand for 2 s instead of 30 min, and the broker looks each second instead of each minute. */
const IMPATIENT = '[{rabbit, [{consumer_timeout, 2000}, {channel_tick_interval, 1000}]}].';
const site = Site.forTests({ rabbit: { advanced: IMPATIENT } });

test('a study that takes longer than the broker waits for an acknowledgement: the message comes again, one set is stored, and others are served', async () => {
  const [study, other] = [await site.put(), await site.put()];
  site.proxy.on(nth(1, retrieves(study)), delayed(6_000));
  const worker = await site.work();
  await site.tell(study);
  await site.tell(other);
  const lost = await until('the channel is lost', () => worker.lines('broker.channel-lost')[0]);
  expect(lost['error']).toContain('PRECONDITION_FAILED');
  expect(readFileSync(site.rabbit.log, 'utf8')).toMatch(/delivery acknowledgement on channel \d+ timed out/);
  await until('consuming again', () => worker.lines('broker.consuming').length === 2);
  await worker.saw('study.done', other);
  await worker.saw('study.done', study);
  await site.expectOneSet(study);
}, 90_000);
