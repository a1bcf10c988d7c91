import { type ReanalysisArchive, type ReanalysisTarget, reanalyze } from '../../src/catch-up/reanalyze';
import { weeks } from '../../src/catch-up/study-sweep';
import { EventPublisher, type Time } from '../../src/catch-up/event-publisher';
import { parseUid, type Uid } from '../../src/dicom/uid';
import { parseStudyEvent, type StudyEvent } from '../../src/events/study-event';

const uid = (n: number) => parseUid(`1.2.${n}`);
const day = (month: number, date: number) => new Date(2026, month - 1, date);

/** An archive of `perDay` studies a day; each third one is no film. It counts what is asked of it. */
class DatedArchive implements ReanalysisArchive {
  readonly searches: string[] = [];
  largest = 0;

  constructor(private readonly perDay: number) {}

  async findStudies({ from, to, offset, limit }: { from: string; to: string; offset: number; limit: number }) {
    this.searches.push(`${from}-${to} ${offset}`);
    const all: number[] = [];
    for (let date = Number(to); date >= Number(from); date--)
      for (let n = 0; n < this.perDay; n++) all.push(date * 1000 + n);
    const page = all.slice(offset, offset + limit);
    this.largest = Math.max(this.largest, page.length);
    const studies = page.map((n) => ({
      studyInstanceUid: uid(n),
      modalities: n % 3 === 0 ? ['CT'] : n % 3 === 1 ? ['CR', 'SR'] : null,
      instances: 1,
    }));
    return { studies, rows: studies.length };
  }

  async findSeries(study: Uid) {
    return (
      (
        {
          '1.2.1': [{ modality: 'DX' }, { modality: 'SR' }],
          '1.2.2': [{ modality: 'CT' }],
          '1.2.3': [{ modality: '' }],
        } as Record<string, { modality: string }[]>
      )[study] ?? []
    );
  }
}

async function run(target: ReanalysisTarget, archive = new DatedArchive(40)) {
  const asked: string[] = [];
  const told = [];
  for await (const study of reanalyze(target, archive, async (study) => void asked.push(study))) told.push(study);
  return { asked, told, archive };
}

test('studies that are named are looked up first: only those with a film are asked for, each once', async () => {
  const { asked, told } = await run({ studies: [uid(1), uid(2), uid(3), uid(4), uid(1)] });
  expect(told.map(({ studyInstanceUid, outcome }) => [studyInstanceUid, outcome])).toEqual([
    ['1.2.1', 'asked'],
    ['1.2.2', 'no-film'],
    ['1.2.3', 'asked'],
    ['1.2.4', 'not-found'],
  ]);
  expect(asked).toEqual(['1.2.1', '1.2.3']);
});

test('studies of some days: page by page, newest weeks first, without those told to have no film', async () => {
  const { asked, told, archive } = await run({ from: day(3, 1), to: day(3, 10) });
  const all = Array.from({ length: 10 }, (_, i) => 20260310 - i).flatMap((date) =>
    Array.from({ length: 40 }, (_, n) => date * 1000 + n),
  );
  expect([...asked].sort()).toEqual(
    all
      .filter((n) => n % 3 !== 0)
      .map(uid)
      .sort(),
  );
  expect(new Set(asked).size).toBe(asked.length);
  expect(told.every(({ outcome }) => outcome === 'asked')).toBe(true);
  expect(archive.searches).toEqual([
    '20260304-20260310 0',
    '20260304-20260310 100',
    '20260304-20260310 200',
    '20260304-20260310 280',
    '20260301-20260303 0',
    '20260301-20260303 100',
    '20260301-20260303 120',
  ]);
  expect(archive.largest).toBe(100);
});

test('a page is asked for only when the one before it is dealt with', async () => {
  const archive = new DatedArchive(200);
  const studies = reanalyze({ from: day(3, 1), to: day(3, 7) }, archive, () => Promise.resolve());
  await studies.next();
  expect(archive.searches).toHaveLength(1);
  await studies.return(undefined);
});

test('weeks cover each day once, over a change of the clock', () => {
  expect([...weeks(day(3, 20), day(4, 2))]).toEqual([
    { from: '20260327', to: '20260402' },
    { from: '20260320', to: '20260326' },
  ]);
  expect([...weeks(day(3, 29), day(3, 29))]).toEqual([{ from: '20260329', to: '20260329' }]);
  expect([...weeks(day(3, 30), day(3, 29))]).toEqual([]);
});

test('an event is told at its pace, when there is room, and the study consumer reads it', async () => {
  const told: { at: number; event: StudyEvent }[] = [];
  let now = Date.UTC(2026, 2, 1);
  let waiting = 7;
  const full: number[] = [];
  const time: Time = {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      waiting--;
    },
  };
  const publisher = new EventPublisher(
    { publish: async (event) => void told.push({ at: now, event }), depth: async () => waiting },
    { studiesPerMinute: 60, queueLimit: 5, stopping: new AbortController().signal, onFull: (n) => full.push(n) },
    time,
  );
  for (const n of [1, 2, 3])
    await publisher.publish({ studyInstanceUid: uid(n), source: { system: 'reanalyze' }, reanalyze: true });
  expect(full).toEqual([7]);
  expect(told.map(({ at }) => at - Date.UTC(2026, 2, 1))).toEqual([15_000, 15_000, 16_000]);
  expect(parseStudyEvent(Buffer.from(JSON.stringify(told[0]!.event)))).toMatchObject({
    studyInstanceUid: uid(1),
    reanalyze: true,
    source: { system: 'reanalyze' },
  });
});
