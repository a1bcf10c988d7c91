import { deriveUid } from '../../src/dicom/uid';
import type { FilmResult, ResultEvent } from '../../src/events/result-event';
import { createRunner, type DeliveryResult } from '../../src/sinks/runner';
import { SINKS } from '../../src/sinks/registry';
import type { Sink } from '../../src/sinks/sink';
import { listSink } from '../../src/worklist/sink';
import { consumedMessage } from '../support/broker/consumed-message';
import { recordingLog } from '../support/records/logs';
import { RECORD, RESULT } from '../support/records/result-record';

const URL = 'http://127.0.0.1:9';
const DELIVERIES = SINKS.schema.parse({
  hl7: { enabled: true, host: '127.0.0.1' },
  fhir: { enabled: true, url: URL },
  ups: { enabled: true, url: URL },
  metadata: { enabled: true, url: URL },
  dicom: { enabled: true, url: URL, modality: 'pacs' },
  // Those that may be told of all results are asked for all.
  webhook: { enabled: true, url: URL, when: 'all', secret: `whsec_${'A'.repeat(32)}` },
  email: { enabled: true, host: '127.0.0.1', when: 'all', from: 'a@b.example', to: ['c@d.example'] },
});
const REAL: Sink[] = SINKS.instances(DELIVERIES).map((sink) => sink.open({ archiveUrl: 'http://archive' }));
const LIST = listSink({ record: () => Promise.resolve(true) }, recordingLog());
afterAll(async () => {
  for (const sink of REAL) await sink.close?.();
});

/** What a sink is told of an event, by its own rules; nothing goes over a wire. */
async function told(sink: Sink, event: ResultEvent): Promise<DeliveryResult[]> {
  const counted: DeliveryResult[] = [];
  const runner = createRunner({
    sink: { ...sink, deliver: () => Promise.resolve() },
    retry: { delaysMs: [5_000], limit: 1 },
    log: recordingLog(),
    loadRecord: () => Promise.resolve(RECORD),
    observer: { delivery: (_sink, result) => void counted.push(result), failingSince: () => {}, verified: () => {} },
  });
  await runner(consumedMessage(Buffer.from(JSON.stringify(event)), {}));
  return counted;
}

const film = (change: Partial<FilmResult>): FilmResult => ({
  sopInstanceUid: deriveUid(['film']),
  outcome: 'rejected',
  reason: null,
  reasonText: null,
  view: null,
  probability: null,
  lungFraction: null,
  findings: [],
  outputs: [],
  ...change,
});
const event = (...films: FilmResult[]): ResultEvent => ({ ...RESULT, priority: null, films });
const hand = film({ reason: 'body-part' });
/** Even where an object was written for it. */
const withOutputs = film({ reason: 'body-part', outputs: RESULT.films[0]!.outputs });

test.each([
  ['a study without a film', event()],
  ['a hand', event(hand)],
  ['a hand for which an object was written', event(withOutputs)],
  ["another product's overlay", event(film({ reason: 'derived-result' }))],
  ['a document that says CR', event(film({ reason: 'no-image' }))],
  ['a hand and a paw', event(hand, film({ reason: 'not-human' }))],
])('of %s no other system is told, and the list is', async (_, given) => {
  for (const sink of REAL) expect([sink.name, await told(sink, given)]).toEqual([sink.name, ['unwanted']]);
  expect(await told(LIST, given)).toEqual(['done']);
});

test('each is told of a chest film beside a hand, and of a hand that was told of as a chest film before', async () => {
  const [chest] = RESULT.films;
  const beside: ResultEvent = { ...RESULT, films: [hand, chest!] };
  const corrected = event({ ...withOutputs, supersedes: [deriveUid(['earlier'])] });
  for (const given of [beside, corrected])
    for (const sink of REAL) expect([sink.name, await told(sink, given)]).toEqual([sink.name, ['done']]);
});
