import { HilumError } from '../../src/base/errors';
import type { DicomSettings } from '../../src/sinks/dicom/config';
import { failureError, NotOfferedError } from '../../src/sinks/dicom/failure';
import type { ResultObject } from '../../src/sinks/dicom/objects';
import { type DicomPeer, dicomSink } from '../../src/sinks/dicom/sink';
import type { StudyRecord } from '../../src/sinks/record';
import { isAway } from '../../src/queue/retry-policy';
import { recordingLog } from '../support/records/logs';
import { RECORD, RESULT, resultOf } from '../support/records/result-record';

const REPORT = '1.2.840.10008.5.1.4.1.1.88.34';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const notOffered = () => new NotOfferedError('RECEIVER_REFUSED', 'permanent', 'not offered');

/** A PACS that keeps what it is sent; its ways to make sure of it can be taken away. */
class Pacs implements DicomPeer {
  readonly peer = 'pacs';
  /** SOP Instance UIDs, once for each C-STORE. */
  readonly stored: string[] = [];
  readonly origins = new Map<string, string>();
  offersFind = true;
  commits: 'success' | 'failure' | 'pending' | 'not-offered' = 'success';
  refuses: (object: string) => HilumError | null = () => null;
  loses = false;

  find = (uid: string) => Promise.resolve(uid);
  origin = (id: string) => Promise.resolve(this.origins.get(id) ?? '');
  has = ({ sopInstanceUid }: ResultObject) =>
    this.offersFind ? Promise.resolve(this.holds(sopInstanceUid)) : Promise.reject(notOffered());
  store = (id: string) => {
    const error = this.refuses(id);
    if (error !== null) return Promise.reject(error);
    this.stored.push(id);
    return Promise.resolve();
  };
  commit = (objects: readonly ResultObject[]) => {
    this.asked = objects.map(({ sopInstanceUid }) => sopInstanceUid);
    return this.commits === 'not-offered' ? Promise.reject(notOffered()) : Promise.resolve('2.25.1');
  };
  commitment = () => {
    const state = this.commits === 'not-offered' ? 'failure' : this.commits;
    return Promise.resolve({
      state,
      committed: new Set(state === 'success' ? this.asked.filter((uid) => this.holds(uid)) : []),
    });
  };
  echo = () => Promise.resolve();
  close = () => Promise.resolve();

  private asked: string[] = [];
  private holds(uid: string): boolean {
    return !this.loses && this.stored.includes(uid);
  }
}

const ALL: DicomSettings['objects'] = ['report', 'heatMap', 'segmentation', 'parametricMap', 'presentationState'];
const SETTINGS: Parameters<typeof dicomSink>[1] = {
  objects: ALL,
  when: 'all',
  from: [],
  verify: 'auto',
  commitmentTimeoutMs: 20,
};
const OBJECTS = RECORD.films.flatMap(({ outputs }) => outputs);
const UIDS = OBJECTS.map(({ sopInstanceUid }) => sopInstanceUid);

function sinkOf(pacs: Pacs, settings: Partial<Parameters<typeof dicomSink>[1]> = {}, now = Date.now) {
  const log = recordingLog();
  const sink = dicomSink(pacs, { ...SETTINGS, ...settings }, log, now);
  const counted: [string, number][] = [];
  const verified = (way: string, objects: number) => void counted.push([way, objects]);
  const ways = () =>
    log.lines.filter(({ fields }) => fields.event === 'delivery.verified').map(({ fields }) => fields['by']);
  const missed = () => log.lines.filter(({ fields }) => fields.event === 'delivery.not-offered').length;
  return { deliver: () => sink.deliver({ ...resultOf(RECORD), verified }), sink, ways, counted, missed };
}

test('each object is sent once, in the order of storing, and committed; told again, nothing is sent', async () => {
  const pacs = new Pacs();
  const { deliver, ways, counted } = sinkOf(pacs);
  await deliver();
  await deliver();
  expect(pacs.stored).toEqual(UIDS);
  expect(ways()).toEqual(['commitment', 'commitment']);
  expect(counted).toEqual([
    ['commitment', UIDS.length],
    ['commitment', UIDS.length],
  ]);
});

test.each([
  ['not-offered', true, 'find'],
  ['pending', true, 'find'],
  ['not-offered', false, 'status'],
] as const)('commitment %s, C-FIND %s: made sure by %s', async (commits, offersFind, by) => {
  const pacs = Object.assign(new Pacs(), { commits, offersFind });
  const { deliver, ways } = sinkOf(pacs);
  await deliver();
  expect(ways()).toEqual([by]);
  expect(pacs.stored).toEqual(UIDS);
});

test.each(['commitment', 'find'] as const)(
  'a way that is asked for and not offered is no success: %s',
  async (verify) => {
    const pacs = Object.assign(new Pacs(), { commits: 'not-offered', offersFind: false });
    await expect(sinkOf(pacs, { verify }).deliver()).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
  },
);

test.each([
  ['success', 'does not commit'],
  ['failure', 'does not commit'],
  ['not-offered', 'does not find it yet'],
] as const)('what the PACS took and lost is sent again later: commitment %s', async (commits, sentence) => {
  const pacs = Object.assign(new Pacs(), { commits, loses: true });
  await expect(sinkOf(pacs).deliver()).rejects.toMatchObject({
    lasting: 'transient',
    message: expect.stringContaining(sentence),
  });
});

test('a commitment that is demanded and never reported is asked for again', async () => {
  const pacs = Object.assign(new Pacs(), { commits: 'pending' });
  await expect(sinkOf(pacs, { verify: 'commitment' }).deliver()).rejects.toMatchObject({
    code: 'RECEIVER_TIMEOUT',
    lasting: 'transient',
  });
});

test('one SOP Class that is refused holds up no other object, and is told with its reason', async () => {
  const pacs = new Pacs();
  const reports = OBJECTS.filter(({ sopClassUid }) => sopClassUid !== SECONDARY_CAPTURE).map(
    ({ sopInstanceUid }) => sopInstanceUid as string,
  );
  pacs.refuses = (id) =>
    reports.includes(id) ? failureError('pacs', 'store', { code: 0, details: 'DIMSE status 0x0122' }) : null;
  const error = await sinkOf(pacs)
    .deliver()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'RECEIVER_REFUSED', lasting: 'permanent' });
  expect((error as Error).message).toContain(
    `pacs has ${UIDS.length - reports.length} of ${UIDS.length} objects. ` +
      `${REPORT}: pacs refused to store an object (C-STORE) (0x0122)`,
  );
  expect(pacs.stored).toEqual(UIDS.filter((uid) => !reports.includes(uid)));
});

test('what may pass ends the try at once; the next one goes on where it was', async () => {
  const pacs = new Pacs();
  pacs.refuses = (id) =>
    id === UIDS[1]
      ? failureError('pacs', 'store', { code: 9, details: 'TCP Initialization Error: Connection refused' })
      : null;
  const { deliver } = sinkOf(pacs);
  await expect(deliver()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE', lasting: 'transient' });
  expect(pacs.stored).toEqual(UIDS.slice(0, 1));
  pacs.refuses = () => null;
  await deliver();
  expect(pacs.stored).toEqual(UIDS);
});

test('it gets the kinds of objects that it takes, of films that came from it', async () => {
  const heatMaps = new Pacs();
  await sinkOf(heatMaps, { objects: ['heatMap'] }).deliver();
  expect(heatMaps.stored).toEqual(
    OBJECTS.filter(({ sopClassUid }) => sopClassUid === SECONDARY_CAPTURE).map(({ sopInstanceUid }) => sopInstanceUid),
  );
  const some = new Pacs();
  some.origins.set(RECORD.films[1]!.sopInstanceUid, 'OTHER').set(RECORD.films[0]!.sopInstanceUid, 'CR1');
  await sinkOf(some, { from: ['CR1'] }).deliver();
  expect(some.stored).toEqual(RECORD.films[0]!.outputs.map(({ sopInstanceUid }) => sopInstanceUid));
});

test('an object that the archive has no more is told, and the others are sent', async () => {
  const pacs = new Pacs();
  pacs.find = (uid) => Promise.resolve(uid === UIDS[0] ? (null as never) : uid);
  await expect(sinkOf(pacs).deliver()).rejects.toMatchObject({ code: 'NOT_FOUND', lasting: 'permanent' });
  expect(pacs.stored).toEqual(UIDS.slice(1));
});

test('results without objects, and others than those asked for, are left unread', () => {
  const { sink } = sinkOf(new Pacs(), { when: 'urgent' });
  const event = { ...RESULT, films: RECORD.films };
  expect(sink.wants({ ...event, priority: 'urgent' })).toBe(true);
  expect(sink.wants({ ...event, priority: 'routine' })).toBe(false);
  expect(
    sink.wants({ ...event, priority: 'urgent', films: event.films.map((film) => ({ ...film, outputs: [] })) }),
  ).toBe(false);
});

test('of urgent results, what replaces or withdraws one is sent too', async () => {
  const films = RECORD.films.map((film) => ({ ...film, supersedes: [OBJECTS[0]!.sopInstanceUid] }));
  const sent = async (record: Partial<StudyRecord>) => {
    const pacs = new Pacs();
    const { sink } = sinkOf(pacs, { when: 'urgent' });
    expect(sink.wants({ ...RESULT, priority: 'routine', films })).toBe(true);
    await sink.deliver(resultOf({ ...RECORD, films, priority: 'routine', ...record }));
    return pacs.stored;
  };
  expect(await sent({ supersededPriority: 'urgent' })).toEqual(UIDS);
  expect(await sent({ supersededPriority: 'urgent', priority: null })).toEqual(UIDS);
  expect(await sent({ supersededPriority: 'routine' })).toEqual([]);
});

test('a way that was not offered is asked for again after an hour, and told once meanwhile', async () => {
  let now = 0;
  const pacs = Object.assign(new Pacs(), { commits: 'not-offered' });
  const { deliver, ways, missed } = sinkOf(pacs, {}, () => now);
  await deliver();
  pacs.commits = 'success';
  now = 3_599_999;
  await deliver();
  expect(missed()).toBe(1);
  now = 3_600_000;
  await deliver();
  expect(ways()).toEqual(['find', 'find', 'commitment']);
});

test('a way that is demanded is asked for each time, so that it works when it is switched on', async () => {
  const pacs = Object.assign(new Pacs(), { commits: 'not-offered' });
  const { deliver, ways } = sinkOf(pacs, { verify: 'commitment' });
  await expect(deliver()).rejects.toBeInstanceOf(NotOfferedError);
  pacs.commits = 'success';
  await deliver();
  expect(ways()).toEqual(['commitment']);
  expect(pacs.stored).toEqual(UIDS);
});

test.each([
  ['C-FIND', 'find', 'DIMSE status 0xC000'],
  ['C-FIND', 'find', 'DIMSE status 0xA900'],
  ['storage commitment', 'commit', 'Storage commitment - The request cannot be handled by remote AET: PACS'],
] as const)('%s that fails at the PACS holds no object back: %s', async (_name, operation, details) => {
  const pacs = new Pacs();
  const fails = () => Promise.reject(failureError('pacs', operation, { code: 9, details }));
  if (operation === 'find') Object.assign(pacs, { has: fails, commits: 'not-offered' });
  else Object.assign(pacs, { commit: fails });
  const { deliver, ways } = sinkOf(pacs);
  await deliver();
  expect(pacs.stored).toEqual(UIDS);
  expect(ways()).toEqual([operation === 'find' ? 'status' : 'find']);
});

test('a PACS that is away while it is asked is no PACS that can not be asked', async () => {
  const pacs = Object.assign(new Pacs(), {
    has: () => Promise.reject(failureError('pacs', 'find', { code: 9, details: 'Connection refused' })),
  });
  await expect(sinkOf(pacs).deliver()).rejects.toMatchObject({ code: 'RECEIVER_UNREACHABLE' });
  expect(pacs.stored).toEqual([]);
});

test('where all is refused nothing is called verified', async () => {
  const pacs = new Pacs();
  pacs.refuses = () => failureError('pacs', 'store', { code: 2015, details: '' });
  const { deliver, ways, counted } = sinkOf(pacs);
  await expect(deliver()).rejects.toMatchObject({ code: 'RECEIVER_REFUSED' });
  expect([ways(), counted]).toEqual([[], []]);
});

test('with `from`, a film that Orthanc has no more is told, and what came from there is sent', async () => {
  const pacs = new Pacs();
  const [gone, there] = RECORD.films.map(({ sopInstanceUid }) => sopInstanceUid as string);
  pacs.find = (uid) => Promise.resolve(uid === gone ? (null as never) : uid);
  pacs.origins.set(there!, 'CR1');
  await expect(sinkOf(pacs, { from: ['CR1'] }).deliver()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    lasting: 'permanent',
  });
  expect(pacs.stored).toEqual(RECORD.films[1]!.outputs.map(({ sopInstanceUid }) => sopInstanceUid));
});

test.each([
  ['auto', 'success', true, /^it offers storage commitment; it offers C-FIND$/],
  ['auto', 'not-offered', true, /^not offered; it offers C-FIND$/],
  ['auto', 'pending', false, /did not report on a storage commitment.*; not offered$/],
  ['find', 'pending', true, /^it offers C-FIND$/],
  ['status', 'pending', false, /^only the status of C-STORE is looked at$/],
] as const)('doctor says what the PACS offers: %s, commitment %s, C-FIND %s', async (verify, commits, find, said) => {
  const pacs = Object.assign(new Pacs(), { commits, offersFind: find });
  expect(await sinkOf(pacs, { verify }).sink.probe()).toMatch(said);
  expect(pacs.stored).toEqual([]);
});

test.each(['commitment', 'find'] as const)('doctor fails where what is demanded is not offered: %s', async (verify) => {
  const pacs = Object.assign(new Pacs(), { commits: 'not-offered', offersFind: false });
  await expect(sinkOf(pacs, { verify }).sink.probe()).rejects.toBeInstanceOf(NotOfferedError);
});

test('a PACS that is full, or away, is asked for as long as a receiver may be away', () => {
  const error = (details: string) => failureError('pacs', 'store', { code: 9, details });
  expect(isAway(error('DIMSE status 0xA700'))).toBe(true);
  expect(isAway(error('DUL Association Rejected'))).toBe(true);
  expect(isAway(error('DIMSE status 0x0110'))).toBe(false);
});

test.each([
  ['DIMSE status 0xA700', 9, 'RECEIVER_UNAVAILABLE', 'transient'],
  ['DIMSE status 0xA702', 9, 'RECEIVER_UNAVAILABLE', 'transient'],
  ['DIMSE status 0x0110', 9, 'RECEIVER_UNAVAILABLE', 'transient'],
  ['DIMSE status 0x0122', 9, 'RECEIVER_REFUSED', 'permanent'],
  ['DIMSE status 0x0124', 9, 'RECEIVER_REFUSED', 'permanent'],
  ['DIMSE status 0xA900', 9, 'RECEIVER_REFUSED', 'permanent'],
  ['DIMSE status 0xC123', 9, 'RECEIVER_REFUSED', 'permanent'],
  ['TCP Initialization Error: Connection refused', 9, 'RECEIVER_UNREACHABLE', 'transient'],
  ['DUL Association Rejected', 9, 'RECEIVER_UNREACHABLE', 'transient'],
  ['Unable to negotiate a presentation context', 2015, 'RECEIVER_REFUSED', 'permanent'],
  ['Remote AET is SCP', 2016, 'RECEIVER_REFUSED', 'permanent'],
  ['Cannot transcode from 1.2.840.10008.1.2.1 to one of [ ]', 2, 'RECEIVER_REFUSED', 'permanent'],
  [
    'Cannot transcode instance of SOPClassUID 1.2 from 1.2.840.10008.1.2.1 to one of [ ]',
    -1,
    'RECEIVER_REFUSED',
    'permanent',
  ],
  ['No valid presentation context was negotiated for SOP class UID [1.2]', 9, 'RECEIVER_REFUSED', 'permanent'],
  ['', 9, 'RECEIVER_UNREACHABLE', 'transient'],
])('Orthanc says %s (%s): %s, %s', (details, code, expected, lasting) => {
  expect(failureError('pacs', 'store', { code, details })).toMatchObject({ code: expected, lasting });
});

test('what Orthanc quotes is not told on', () => {
  const { message } = failureError('pacs', 'store', { code: 9, details: 'PATIENT^NAME DUL Association Rejected' });
  expect(message).not.toContain('PATIENT');
});
