import { HilumError } from '../../src/base/errors';
import { deriveUid } from '../../src/dicom/uid';
import { progressNotes, type Step } from '../../src/events/progress-event';
import { Progress, type StudyDirectory } from '../../src/worklist/progress';
import type { StudyListing } from '../../src/worklist/steps';
import { recordingLog } from '../support/records/logs';
import { NO_SUMMARY } from '../support/records/study-summary';

const [A, B] = [deriveUid(['a']), deriveUid(['b'])];
const AWAY = new HilumError('DATABASE_UNREACHABLE', 'transient', 'the database does not answer');
const SEEN = { ...NO_SUMMARY, PatientID: 'P', PatientName: 'N', AccessionNumber: 'A' };

function setUp({ modalities = ['DX'], limit = 10_000 }: { modalities?: string[] | null; limit?: number } = {}) {
  const log = recordingLog();
  const written: { study: string; step: Step; at: number; listing: StudyListing | null; worker: string | null }[] = [];
  const state: { failure: Error | null; summaryFailure: Error | null; asked: number } = {
    failure: null,
    summaryFailure: null,
    asked: 0,
  };
  const worklist = {
    needsListing: (study: string) => Promise.resolve(!written.some((note) => note.study === study)),
    advance: (study: string, step: Step, at = 0, listing: StudyListing | null = null, worker: string | null = null) => {
      if (state.failure !== null) return Promise.reject(state.failure);
      written.push({ study, step, at, listing, worker });
      return Promise.resolve();
    },
  };
  const archive: StudyDirectory = {
    findStudySummary: () => {
      state.asked++;
      return state.summaryFailure ? Promise.reject(state.summaryFailure) : Promise.resolve({ ...SEEN, modalities });
    },
  };
  let clock = 1_000;
  const progress = new Progress({ worklist, archive, log, limit });
  const notes = progressNotes(
    (event) => progress.note(event),
    () => clock++,
    'host:1',
  );
  return { progress, notes, written, state, log };
}

test('steps are written in order with the time at which they were told; the archive is asked once', async () => {
  const { progress, notes, written, state } = setUp();
  notes.waiting(A, 'urgent');
  notes.analysing(A, 1);
  notes.retry(A, 'ARCHIVE_TIMEOUT', 5_000);
  notes.returned(A);
  notes.failed(A, 'UNKNOWN');
  notes.nothingNew(B);
  expect(written).toEqual([]);
  await progress.stop(5_000);
  expect(written.map(({ step }) => step.kind)).toEqual([
    'waiting',
    'analysing',
    'retry',
    'returned',
    'failed',
    'nothing-new',
  ]);
  expect(written.slice(0, 2)).toMatchObject([
    { study: A, at: 1_000, listing: { summary: { PatientID: 'P' }, mayHaveFilms: true } },
    { at: 1_001, listing: null, worker: 'host:1' },
  ]);
  expect(written[2]!.step).toMatchObject({ reason: 'ARCHIVE_TIMEOUT', retryAt: 6_002 });
  expect(state.asked).toBe(1);
});

test.each<[string[] | null, boolean]>([
  [['CT', 'SR'], false],
  [['CT', 'CR'], true],
  [null, true],
])('modalities %j may have films: %s', async (modalities, mayHaveFilms) => {
  const { progress, notes, written } = setUp({ modalities });
  notes.waiting(A, null);
  await progress.stop(5_000);
  expect(written[0]!.listing!.mayHaveFilms).toBe(mayHaveFilms);
});

test('an archive that is away leaves the row without a patient', async () => {
  const { progress, notes, written, state } = setUp();
  state.summaryFailure = new Error('away');
  notes.waiting(A, null);
  await progress.stop(5_000);
  expect(written).toMatchObject([{ study: A, listing: null }]);
});

test('a database that is away holds nobody up, is told of once, and gets the notes when it is back', async () => {
  const { progress, notes, written, state, log } = setUp();
  state.failure = AWAY;
  for (let i = 0; i < 5; i++) notes.analysing(A, i);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(written).toEqual([]);
  state.failure = null;
  await progress.stop(10_000);
  expect(written.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4].map((attempt) => ({ kind: 'analysing', attempt })));
  expect(log.lines.map(({ fields }) => fields.event)).toEqual(['list.database-away', 'list.database-back']);
});

test('what does not fit is dropped, the oldest first, and counted', async () => {
  const { progress, notes, written, state, log } = setUp({ limit: 3 });
  state.failure = AWAY;
  for (let i = 0; i < 5; i++) notes.analysing(A, i);
  expect(progress.dropped).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  notes.analysing(A, 5);
  state.failure = null;
  await progress.stop(10_000);
  expect(written.map(({ step }) => (step.kind === 'analysing' ? step.attempt : null))).toEqual([3, 4, 5]);
  expect(log.lines.at(-1)!.fields).toMatchObject({ event: 'list.database-back', lost: 3 });
});

test('a note that the database refuses holds up none behind it', async () => {
  const { progress, notes, written, state } = setUp();
  state.failure = new HilumError('DATABASE_INVALID', 'permanent', 'refused');
  notes.analysing(A, 1);
  await progress.stop(5_000);
  state.failure = null;
  notes.analysing(B, 1);
  await progress.stop(5_000);
  expect(written.map(({ study }) => study)).toEqual([B]);
});

test('a stop does not wait for a database that stays away', async () => {
  const { progress, notes, state } = setUp();
  state.failure = AWAY;
  notes.analysing(A, 1);
  const started = Date.now();
  await progress.stop(100);
  expect(Date.now() - started).toBeLessThan(5_000);
});
