import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/lib/servers.cjs';
import { examine } from '../../src/app/doctor/doctor';
import type { Uid } from '../../src/dicom/uid';
import { syntheticDicom, syntheticUids } from '../../src/objects/synthetic-film';
import { type Orthanc, Servers, until } from '../support/servers/servers';
import { Site, type Worker } from '../support/servers/site';

/**
 * The way of docs/pacs.md: a modality sends a film to Orthanc (dcmtk's storescu), Hilum's results go by C-STORE to a
 * PACS that speaks only DIMSE: dcmtk's dcmqrscp and storescp, or a second Orthanc, which commits to storage.
 */
const site = Site.forTests();
const servers = new Servers();
const dir = mkdtempSync(join(tmpdir(), 'hilum-test-dimse-'));
const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) if (child.kill('SIGKILL')) await once(child, 'exit');
});
afterAll(async () => {
  await servers.stop();
  rmSync(dir, { recursive: true, force: true });
});

const start = (file: string, ...args: string[]) => running.push(spawn(file, args, { stdio: 'ignore' }));

/** dcmqrscp with one storage area, which is also what it has: a file for each object. */
class Dcmqrscp {
  private constructor(
    readonly port: number,
    private readonly area: string,
    private readonly file: string,
  ) {}

  static async at(name: string): Promise<Dcmqrscp> {
    const [port, area, file] = [await freePort(), join(dir, name), join(dir, `${name}.cfg`)];
    mkdirSync(area);
    const table = (title: string, lines: string[]) => [`${title} BEGIN`, ...lines, `${title} END`];
    const lines = [
      `NetworkTCPPort = ${port}`,
      'MaxPDUSize = 16384',
      'MaxAssociations = 16',
      ...table('HostTable', []),
      ...table('VendorTable', []),
      ...table('AETable', [`PACS ${area} RW (200, 1024mb) ANY`]),
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    return new Dcmqrscp(port, area, file);
  }

  start(): void {
    start('dcmqrscp', '--config', this.file);
  }

  /** SOP Class UIDs of what it has in a study. */
  has(study: Uid): string[] {
    return readdirSync(this.area)
      .filter((name) => name !== 'index.dat')
      .map((name) => tags(join(this.area, name)))
      .filter(([, studyUid]) => studyUid === study)
      .map(([sopClass]) => sopClass!)
      .sort();
  }
}

/** SOP Class and Study Instance UID, by dcmdump. */
function tags(file: string): string[] {
  const options = ['--no-uid-names', '+P', '0008,0016', '+P', '0020,000d'];
  const text = execFileSync('dcmdump', [...options, file], { encoding: 'utf8' });
  return [...text.matchAll(/UI \[([0-9.]+)\]/g)].map(([, uid]) => uid!);
}

const HEAT_MAP = '1.2.840.10008.5.1.4.1.1.7';
const REPORT = '1.2.840.10008.5.1.4.1.1.88.34';

/** Tells an Orthanc, the site's by default, of a peer. */
async function introduce(name: string, title: string, port: number, to: Pick<Orthanc, 'url'> = site.orthanc) {
  const body = JSON.stringify({ AET: title, Host: '127.0.0.1', Port: port, Timeout: 5 });
  expect((await fetch(`${to.url}/modalities/${name}`, { method: 'PUT', body })).status).toBe(200);
}

const block = (modality: string, more: object = {}) => ({ enabled: true, url: site.orthanc.url, modality, ...more });

/** A film by C-STORE from the modality LOCAL. */
function sendByModality(seed: number): Uid {
  const film = { seed, view: 'PA', rows: 64, columns: 56 } as const;
  const file = join(dir, `${seed}.dcm`);
  writeFileSync(file, syntheticDicom(film));
  const { aet, dicomPort } = site.orthanc;
  execFileSync('storescu', ['-aet', 'LOCAL', '-aec', aet, '127.0.0.1', String(dicomPort), file]);
  return syntheticUids(film).studyInstanceUid;
}

async function analysed(worker: Worker, study: Uid): Promise<void> {
  await site.tell(study);
  await worker.saw('study.done', study);
}

const deliveriesDone = async (worker: Worker, sink: string) => {
  const { text } = await worker.get('/metrics');
  return Number(new RegExp(`hilum_deliveries_total\\{sink="${sink}",result="done"\\} (\\d+)`).exec(text)?.[1] ?? 0);
};

/** C-STOREs that the site's Orthanc brought to their end with a peer, by its own list of jobs (the last ten). */
async function storesTo(title: string): Promise<number> {
  type Job = { readonly Type: string; readonly State: string; readonly Content: { readonly RemoteAet?: string } };
  const jobs = await site.ask<Job[]>('/jobs?expand');
  return jobs.filter(
    ({ Type, State, Content }) => Type === 'DicomModalityStore' && State === 'Success' && Content.RemoteAet === title,
  ).length;
}

/** Delivers the result of a study once more, as after a crash between C-STORE and acknowledgement. */
async function tellAgain(worker: Worker, sink: string): Promise<void> {
  const [event] = await site.results();
  const done = await deliveriesDone(worker, sink);
  await site.announce(event!);
  await until('it is told again', async () => (await deliveriesDone(worker, sink)) === done + 1, 60_000);
}

/** What `hilum doctor` says of each receiver. */
async function doctor(dicom: object): Promise<Map<string, { ok: boolean; text: string }>> {
  const config = join(dir, 'hilum.json');
  writeFileSync(
    config,
    JSON.stringify({
      archive: { url: 'http://127.0.0.1:9/dicom-web' },
      broker: { url: 'amqp://127.0.0.1:9' },
      deliveries: { dicom },
    }),
  );
  return new Map((await examine(config)).map(({ check, ok, text }) => [check, { ok, text }]));
}

test('modality -> Orthanc -> results -> PACS, into the same study; away for more than the tries, it gets all once', async () => {
  const pacs = await Dcmqrscp.at('away');
  await introduce('pacs', 'PACS', pacs.port);
  const study = sendByModality(90_001);
  // Tries that find it away are counted for themselves: an hour on this clock.
  const worker = await site.work({ deliveries: { dicom: block('pacs') }, broker: { retryLimit: 2 } });
  await analysed(worker, study);
  await until('it was away for many tries', () => worker.lines('delivery.retry').length > 4, 60_000);
  expect(worker.lines('delivery.retry').every(({ reason }) => reason === 'RECEIVER_UNREACHABLE')).toBe(true);
  pacs.start();
  const [verified] = await until(
    'it has them',
    () => worker.lines('delivery.verified').length > 0 && worker.lines('delivery.verified'),
    60_000,
  );
  expect(verified).toMatchObject({ by: 'find', objects: 2 });
  expect(pacs.has(study)).toEqual([HEAT_MAP, REPORT]);
  expect(worker.lines('delivery.not-offered')).toMatchObject([{ way: 'commitment' }]);
  await until('it is acknowledged', async () => (await deliveriesDone(worker, 'dicom')) === 1);
  expect(await storesTo('PACS')).toBe(2);
  await tellAgain(worker, 'dicom');
  expect(await storesTo('PACS')).toBe(2);
  expect(pacs.has(study)).toEqual([HEAT_MAP, REPORT]);
  expect(await site.dead()).toEqual([]);
}, 180_000);

test('two PACSs: one refuses the report, the other gets only what came from one modality', async () => {
  const [port, area, contexts] = [await freePort(), join(dir, 'pictures'), join(dir, 'contexts.cfg')];
  mkdirSync(area);
  const context = (number: number, sopClass: string) => `PresentationContext${number} = ${sopClass}\\Explicit`;
  writeFileSync(
    contexts,
    [
      '[[TransferSyntaxes]]',
      '[Explicit]',
      'TransferSyntax1 = LittleEndianExplicit',
      'TransferSyntax2 = LittleEndianImplicit',
      '[[PresentationContexts]]',
      '[Pictures]',
      context(1, HEAT_MAP),
      context(2, '1.2.840.10008.1.1'),
      '[[Profiles]]',
      '[Default]',
      'PresentationContexts = Pictures',
      '',
    ].join('\n'),
  );
  start('storescp', '-xf', contexts, 'Default', '-aet', 'PICTURES', '-od', area, String(port));
  const other = await Dcmqrscp.at('other');
  other.start();
  await introduce('pictures', 'PICTURES', port);
  await introduce('other', 'PACS', other.port);
  const worker = await site.work({
    deliveries: {
      dicom: [block('pictures', { name: 'pictures' }), block('other', { name: 'other', from: ['LOCAL'] })],
    },
  });
  const [sent, uploaded] = [sendByModality(90_002), await site.put(1)];
  for (const study of [sent, uploaded]) await analysed(worker, study);
  const dead = await until(
    () => `the reports are given up: ${JSON.stringify(worker.log.lines.slice(-25))}`,
    () => {
      const lines = worker.lines('delivery.dead');
      return lines.length === 2 && lines;
    },
  );
  for (const fields of dead) {
    expect(fields['reason']).toBe('RECEIVER_REFUSED');
    expect(JSON.stringify(fields)).toContain('accepts neither the SOP Class');
  }
  // The heat map of each study came all the same.
  expect(readdirSync(area)).toHaveLength(2);
  await until('the other one is done', async () => (await deliveriesDone(worker, 'dicom.other')) === 2);
  expect(other.has(sent)).toEqual([HEAT_MAP, REPORT]);
  expect(other.has(uploaded)).toEqual([]);
}, 180_000);

describe('with an Orthanc as PACS', () => {
  let pacs: Orthanc;

  beforeAll(async () => {
    pacs = await servers.orthanc({
      config: {
        DicomAet: 'FULLPACS',
        DicomAlwaysAllowStore: true,
        DicomAlwaysAllowFind: true,
        DicomAlwaysAllowEcho: true,
      },
    });
  }, 120_000);

  const count = async () => ((await (await fetch(`${pacs.url}/instances`)).json()) as string[]).length;

  async function meet(): Promise<void> {
    await introduce('orthanc-pacs', 'FULLPACS', pacs.dicomPort);
    await introduce('hilum', site.orthanc.aet, site.orthanc.dicomPort, pacs);
  }

  test('it commits to their storage; told again, nothing is sent twice', async () => {
    await meet();
    const before = await count();
    const study = sendByModality(90_003);
    const worker = await site.work({ deliveries: { dicom: block('orthanc-pacs') } });
    await analysed(worker, study);
    const verified = await until('committed', () => worker.lines('delivery.verified')[0], 60_000);
    expect(verified).toMatchObject({ by: 'commitment', objects: 2 });
    await until('it is acknowledged', async () => (await deliveriesDone(worker, 'dicom')) === 1);
    expect(await storesTo('FULLPACS')).toBe(2);
    await tellAgain(worker, 'dicom');
    expect(await storesTo('FULLPACS')).toBe(2);
    expect(await count()).toBe(before + 2);
    const { text } = await worker.get('/metrics');
    expect(text).toContain('hilum_delivery_verified_objects_total{sink="dicom",by="commitment"} 4\n');
  }, 120_000);

  test('doctor finds out that it offers both ways, and leaves nothing there', async () => {
    await meet();
    const before = await count();
    expect((await doctor(block('orthanc-pacs'))).get('receiver: dicom')).toEqual({
      ok: true,
      text: 'connected; it offers storage commitment; it offers C-FIND',
    });
    expect(await count()).toBe(before);
  }, 60_000);

  test('its disk is full: nothing is given up, and all comes when there is room', async () => {
    await meet();
    const file = join(pacs.dir, 'orthanc.json');
    const whole = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    // 1 MB for everything: the picture of a large film has no room.
    writeFileSync(file, JSON.stringify({ ...whole, MaximumStorageSize: 1 }));
    await pacs.restart();
    await meet();
    const study = await site.put(1, { rows: 1600, columns: 1600 });
    const worker = await site.work({
      deliveries: { dicom: block('orthanc-pacs', { objects: ['heatMap'] }) },
      broker: { retryLimit: 2 },
    });
    await analysed(worker, study);
    // For longer than another failure is tried again: it is counted as away.
    const isFull = () => worker.lines('delivery.retry').filter(({ reason }) => reason === 'RECEIVER_UNAVAILABLE');
    await until('it was told to come later many times', () => isFull().length > 4, 60_000);
    writeFileSync(file, JSON.stringify(whole));
    await pacs.restart();
    await meet();
    await until('it has it', () => worker.lines('delivery.verified').length > 0, 90_000);
    expect(await site.dead()).toEqual([]);
  }, 240_000);
});

test('doctor says what the PACS answers: well, away, unknown to Orthanc, another AE title', async () => {
  const pacs = await Dcmqrscp.at('doctor');
  pacs.start();
  await introduce('well', 'PACS', pacs.port);
  await introduce('away', 'PACS', await freePort());
  await introduce('wrong', 'NOBODY', pacs.port);
  const dicom = [
    ...['well', 'away', 'wrong', 'unknown'].map((name) => block(name, { name })),
    block('well', { name: 'demanding', verify: 'commitment' }),
  ];
  await until('it listens', () => existsSync(join(dir, 'doctor')));
  const found = await doctor(dicom);
  const said = (name: string) => found.get(`receiver: dicom.${name}`);
  expect(said('well')).toMatchObject({
    ok: true,
    text: expect.stringMatching(/^connected; well refused to commit to storage .*; it offers C-FIND$/),
  });
  expect(said('demanding')).toMatchObject({ ok: false, text: expect.stringContaining('refused to commit to storage') });
  expect(said('away')).toMatchObject({ ok: false, text: expect.stringContaining('no association with away') });
  expect(said('wrong')).toMatchObject({ ok: false, text: expect.stringContaining('rejected the association') });
  expect(said('unknown')).toMatchObject({
    ok: false,
    text: expect.stringContaining('does not know the modality unknown'),
  });
}, 60_000);
