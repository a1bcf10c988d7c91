import { deriveUid } from '../../src/dicom/uid';
import { parseProgressEvent, type ProgressEvent } from '../../src/events/progress-event';
import { ProgressPublisher } from '../../src/queue/progress-publisher';

const event = (attempt: number): ProgressEvent => ({
  schemaVersion: 1,
  type: 'study-progress',
  studyInstanceUid: deriveUid(['study']),
  step: { kind: 'analysing', attempt },
  occurredAt: 1_000,
});
const attemptOf = (body: Buffer) => {
  const { step } = parseProgressEvent(body);
  return step.kind === 'analysing' ? step.attempt : null;
};

test('steps are published in their order, one at a time, whatever each takes', async () => {
  const published: (number | null)[] = [];
  let inHand = 0;
  const publisher = new ProgressPublisher(async (body) => {
    expect(++inHand).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, published.length === 0 ? 30 : 0));
    published.push(attemptOf(body));
    inHand--;
  });
  for (const attempt of [1, 2, 3]) publisher.tell(event(attempt));
  expect(published).toEqual([]);
  await publisher.settled();
  expect(published).toEqual([1, 2, 3]);
});

test('what the broker does not take is dropped, and holds up none behind it', async () => {
  const published: (number | null)[] = [];
  const publisher = new ProgressPublisher((body) => {
    if (attemptOf(body) === 1) return Promise.reject(new Error('away'));
    published.push(attemptOf(body));
    return Promise.resolve();
  });
  publisher.tell(event(1));
  publisher.tell(event(2));
  await publisher.settled();
  expect(published).toEqual([2]);
});

test('a broker that stays away does not fill the memory', async () => {
  let wake = () => {};
  let published = 0;
  const back = new Promise<void>((resolve) => (wake = resolve));
  const publisher = new ProgressPublisher(() => back.then(() => void published++));
  for (let attempt = 1; attempt <= 1_500; attempt++) publisher.tell(event(attempt));
  wake();
  await publisher.settled();
  expect(published).toBe(1_000);
});
