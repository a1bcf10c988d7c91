import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChangeList, changesOf } from '../../src/catch-up/changes';
import { type Cursor, cursorFile, extend, shrink } from '../../src/catch-up/cursor';
import { countUndated, reanalyze } from '../../src/catch-up/reanalyze';
import type { Source } from '../../src/catch-up/source';
import { spans, type StudyFinder, studySweep } from '../../src/catch-up/study-sweep';
import { parseUid } from '../../src/dicom/uid';
import { recordingLog } from '../support/records/logs';

const NOW = new Date(2026, 2, 10, 12).getTime();
const CURSOR: Cursor = { seen: 0, gaps: [], notBefore: '20260308T120000' };

describe('the search by Study Date', () => {
  test('spans cover the window without a hole or an overlap, newest first, and reach into tomorrow', () => {
    expect(spans(2, new Date(NOW))).toEqual([
      { from: '20260310', to: '20260311' },
      { from: '20260309', to: '20260309' },
    ]);
    const found = spans(400, new Date(NOW)).reverse();
    const day = (text: string) =>
      Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6))) / 86_400_000;
    found.slice(1).forEach((span, i) => expect(day(span.from)).toBe(day(found[i]!.to) + 1));
    expect(day(found.at(-1)!.to) - day(found[0]!.from) + 1).toBe(401);
    expect(found.length).toBeLessThan(12);
  });

  test.each([
    ['America/Los_Angeles', '20260309', '20260310'],
    ['Pacific/Auckland', '20260310', '20260311'],
  ])("today is the day of the site's time zone, whatever the machine's: %s", async (timeZone, from, to) => {
    const asked: string[] = [];
    const archive: StudyFinder = {
      findStudies: async (search) => {
        asked.push(`${search.from}-${search.to}`);
        return { studies: [], rows: 0 };
      },
    };
    const evening = Date.UTC(2026, 2, 10, 2);
    const { batches } = studySweep(archive, 1, () => evening, undefined, timeZone);
    for await (const { studies } of batches()) expect(studies).toEqual([]);
    expect(asked).toEqual([`${from}-${to}`]);
  });

  const finder = (studies: number, { ignoresOffset = false } = {}): StudyFinder & { calls: number[] } => {
    const calls: number[] = [];
    const all = Array.from({ length: studies }, (_, i) => ({
      studyInstanceUid: parseUid(`1.2.${i}`),
      modalities: null,
      instances: 1,
    }));
    return {
      calls,
      findStudies: async ({ from, offset, limit }) => {
        calls.push(offset);
        const start = ignoresOffset ? 0 : offset;
        const rows = from === '20260310' ? all.slice(start, start + limit) : [];
        return { studies: rows, rows: rows.length };
      },
    };
  };
  const sweep = async (archive: StudyFinder) => {
    const sizes: number[] = [];
    for await (const { studies } of studySweep(archive, 1, () => NOW).batches()) sizes.push(studies.length);
    return sizes;
  };

  test('page by page, never more than a page at once', async () => {
    expect(await sweep(finder(1_030))).toEqual([...Array.from({ length: 10 }, () => 100), 30]);
    expect(await sweep(finder(100))).toEqual([100]);
    expect(await sweep(finder(0))).toEqual([]);
  });

  test('a server that ignores offset is not asked for ever', async () => {
    const archive = finder(100, { ignoresOffset: true });
    expect((await sweep(archive)).every((size) => size === 100)).toBe(true);
    expect(archive.calls.slice(0, 2)).toEqual([0, 100]);
    expect(archive.calls.length).toBeLessThan(60);
  });
});

describe('servers with limits of their own', () => {
  const MINUTES = 24 * 60;
  /** A study for each `every`th minute of 10 March; pages of at most `cap`. */
  const capped = (cap: number, every: number, ignoresOffset: boolean) => {
    const all = Array.from({ length: Math.floor(MINUTES / every) }, (_, n) => n * every);
    const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(2, 4));
    const archive: StudyFinder & { calls: number } = {
      calls: 0,
      async findStudies({ from, to, times, offset, limit }) {
        archive.calls++;
        const inside = all.filter(
          (minute) =>
            from <= '20260310' &&
            to >= '20260310' &&
            (times === undefined || (minute >= minuteOf(times.from) && minute <= minuteOf(times.to))),
        );
        const start = ignoresOffset ? 0 : offset;
        const studies = inside.slice(start, start + Math.min(limit, cap)).map((minute) => ({
          studyInstanceUid: parseUid(`1.2.${minute}`),
          modalities: null,
          instances: 1,
        }));
        return { studies, rows: studies.length };
      },
    };
    return { archive, total: all.length };
  };
  const seen = async (archive: StudyFinder, onCut?: (span: string) => void) => {
    const uids = new Set<string>();
    for await (const { studies } of studySweep(archive, 1, () => NOW, onCut).batches())
      for (const { studyInstanceUid } of studies) uids.add(studyInstanceUid);
    return uids.size;
  };

  test.each([
    [12, 20, false],
    [20, 20, false],
    [100, 5, false],
    [12, 20, true],
    [20, 7, true],
  ])('pages of %i, a study each %i minutes, offset ignored: %s; every study is found', async (cap, every, ignores) => {
    const { archive, total } = capped(cap, every, ignores);
    expect(await seen(archive)).toBe(total);
    expect(archive.calls).toBeLessThan(150);
  });

  test('more studies in a minute than it shows: told once a round', async () => {
    const told: string[] = [];
    const studies = Array.from({ length: 12 }, (_, n) => ({
      studyInstanceUid: parseUid(`1.3.${n}`),
      modalities: null,
      instances: 1,
    }));
    await seen({ findStudies: () => Promise.resolve({ studies, rows: 12 }) }, (span) => void told.push(span));
    expect(told).toHaveLength(1);
  });

  test('studies without a Study Date: listed page by page among all, and counted', async () => {
    const all = Array.from({ length: 130 }, (_, n) => ({
      studyInstanceUid: parseUid(`1.4.${n}`),
      modalities: ['CR'],
      instances: 1,
      dateTime: n % 10 === 0 ? '' : '20260310',
    }));
    const archive: StudyFinder = {
      findStudies: ({ from, to, offset }) => {
        expect([from, to]).toEqual(['', '']);
        const studies = all.slice(offset, offset + 20);
        return Promise.resolve({ studies, rows: studies.length });
      },
    };
    expect(await countUndated(archive)).toBe(13);
    const page = all.slice(0, 20);
    const repeating: StudyFinder = { findStudies: () => Promise.resolve({ studies: page, rows: page.length }) };
    expect(await countUndated(repeating)).toBeNull();
    const asked: string[] = [];
    const directory = { ...archive, findSeries: () => Promise.resolve([]) };
    for await (const { studyInstanceUid } of reanalyze({ undated: true }, directory, async () => {}))
      asked.push(studyInstanceUid);
    expect(asked).toHaveLength(13);
  });
});

describe('the cursor', () => {
  test('new places become a gap; next to a gap that was not begun they extend it', () => {
    const first = extend(CURSOR, 100);
    expect(first.gaps).toEqual([{ low: 0, high: 100 }]);
    expect(extend(first, 150).gaps).toEqual([{ low: 0, high: 150 }]);
    expect(extend(shrink(first, 40), 150).gaps).toEqual([
      { low: 0, high: 40 },
      { low: 100, high: 150 },
    ]);
    expect(extend(first, 100)).toBe(first);
  });

  test('the newest gap shrinks first, down to nothing', () => {
    const cursor = extend(shrink(extend(CURSOR, 100), 40), 150);
    expect(shrink(cursor, 100).gaps).toEqual([{ low: 0, high: 40 }]);
    expect(shrink(shrink(cursor, 100), 0).gaps).toEqual([]);
    expect(shrink(CURSOR, 0)).toBe(CURSOR);
  });

  test('its size is bounded and nothing is left out', () => {
    let cursor = CURSOR;
    for (let n = 1; n <= 500; n++) cursor = shrink(extend(cursor, n * 100), n * 100 - 50);
    expect(cursor.gaps.length).toBe(50);
    for (let n = 1; n <= 500; n++)
      expect(cursor.gaps.some(({ low, high }) => low <= n * 100 - 100 && high >= n * 100 - 50)).toBe(true);
  });

  const dir = mkdtempSync(join(tmpdir(), 'hilum-cursor-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('comes back from its file, and no second file stays', async () => {
    const store = cursorFile(join(dir, 'a', 'b'));
    expect(await store.load()).toBe('none');
    const cursor = extend(CURSOR, 12);
    await store.save(cursor);
    expect(await cursorFile(join(dir, 'a', 'b')).load()).toEqual(cursor);
    expect(readdirSync(join(dir, 'a', 'b'))).toEqual(['orthanc-changes.json']);
    expect(readFileSync(join(dir, 'a', 'b', 'orthanc-changes.json'), 'utf8')).not.toContain('1.2.');
  });

  test.each(['', '{', '{"seen": 1}', '[]', '{"schemaVersion": 2, "seen": 1, "gaps": [], "notBefore": ""}'])(
    '%j is unreadable',
    async (text) => {
      writeFileSync(join(dir, 'orthanc-changes.json'), text);
      expect(await cursorFile(dir).load()).toBe('unreadable');
    },
  );
});

/** Orthanc's list: a study for each tenth place, and a gap where studies were deleted. */
class FakeList implements ChangeList {
  constructor(
    public length: number,
    private readonly dateOf: (seq: number) => string = () => '20260310T100000',
  ) {}

  async last(): Promise<number> {
    return this.length;
  }

  async changes(since: number, limit: number) {
    const all = Array.from({ length: this.length }, (_, i) => i + 1).filter((seq) => seq < 300 || seq > 450);
    return all
      .filter((seq) => seq > since)
      .slice(0, limit)
      .map((seq) => ({
        seq,
        date: this.dateOf(seq),
        ...(seq % 10 === 0
          ? { type: 'StableStudy', resource: { level: 'Study', id: String(seq) } }
          : { type: 'NewInstance', resource: { level: 'Instance', id: String(seq) } }),
      }));
  }

  async studyOf({ id }: { id: string }) {
    return id === '20' ? null : parseUid(`1.2.${id}`);
  }
}

describe("Orthanc's changes", () => {
  const store = (cursor: Cursor | 'none' | 'unreadable' = 'none') => {
    const kept: Cursor[] = [];
    return { kept, load: async () => kept.at(-1) ?? cursor, save: async (next: Cursor) => void kept.push(next) };
  };
  /** The places of the studies of a round; `stopAfter` batches it is killed before the batch is done. */
  const round = async (source: Source, stopAfter = Infinity) => {
    const seen: number[] = [];
    let batches = 0;
    for await (const batch of source.batches()) {
      expect(batch.studies.length).toBeLessThanOrEqual(100);
      seen.push(...batch.studies.map(({ studyInstanceUid }) => Number(studyInstanceUid.slice(4))));
      if (++batches > stopAfter) break;
      await batch.done();
    }
    return seen;
  };
  const expected = (low: number, high: number) =>
    Array.from({ length: high }, (_, i) => high - i).filter(
      (seq) => seq > low && seq % 10 === 0 && seq !== 20 && (seq < 300 || seq > 450),
    );
  const open = (list: ChangeList, cursors: ReturnType<typeof store>, log = recordingLog()) =>
    changesOf(list, cursors, 2, log, () => NOW);

  test('newest first, each once, over deleted places', async () => {
    expect(await round(open(new FakeList(1_000), store()))).toEqual(expected(0, 1_000));
  });

  test('killed in the middle, the next start goes on with what is newer, then with what was left', async () => {
    const cursors = store();
    const before = await round(open(new FakeList(1_000), cursors), 2);
    expect(before).toEqual(expected(700, 1_000));
    expect(cursors.kept.at(-1)!.gaps).toEqual([{ low: 0, high: 800 }]);
    const after = await round(open(new FakeList(1_100), cursors));
    expect(after).toEqual([...expected(1_000, 1_100), ...expected(0, 800)]);
    expect(cursors.kept.at(-1)).toMatchObject({ seen: 1_100, gaps: [] });
  });

  test('after the first round it lags by one', async () => {
    const list = new FakeList(100);
    const source = open(list, store());
    await round(source);
    list.length = 200;
    expect(await round(source)).toEqual([]);
    list.length = 250;
    expect(await round(source)).toEqual(expected(100, 200));
    expect(await round(source)).toEqual(expected(200, 250));
  });

  test('the first start looks back over the window only, a later one over all that was missed', async () => {
    const cursors = store();
    const list = new FakeList(1_000, (seq) => (seq <= 600 ? '20260101T100000' : '20260310T100000'));
    expect(await round(open(list, cursors))).toEqual(expected(600, 1_000));
    expect(cursors.kept.at(-1)!.gaps).toEqual([]);
    const later = new FakeList(1_100, (seq) => (seq <= 600 ? '20260101T100000' : '20260310T100000'));
    const source = changesOf(later, cursors, 2, recordingLog(), () => NOW + 30 * 86_400_000);
    expect(await round(source)).toEqual(expected(1_000, 1_100));
  });

  test.each([
    ['ahead of the list', { ...CURSOR, seen: 5_000 }],
    ['unreadable', 'unreadable'],
  ] as const)('a cursor that is %s is told and started anew', async (_what, cursor) => {
    const log = recordingLog();
    expect(await round(open(new FakeList(100), store(cursor), log))).toEqual(expected(0, 100));
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { event: 'catch-up.cursor-reset' } }]);
  });

  test('an empty Orthanc', async () => {
    expect(await round(open(new FakeList(0), store()))).toEqual([]);
  });
});
