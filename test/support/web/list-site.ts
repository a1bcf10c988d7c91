import express, { type Express, type RequestHandler } from 'express';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HilumError } from '../../../src/base/errors';
import { parseUid, type Uid } from '../../../src/dicom/uid';
import type { ResultEvent } from '../../../src/events/result-event';
import { syntheticDicom, type SyntheticObject, syntheticUids } from '../../../src/objects/synthetic-film';
import { unboundedReader } from '../../../src/pipeline/film-reader';
import type { Pipeline } from '../../../src/pipeline/pipeline';
import type { StudyRecord } from '../../../src/sinks/record';
import { webApp } from '../../../src/app/web';
import type { Log } from '../../../src/base/log';
import { chooseLanguage } from '../../../src/web/language';
import type { Access } from '../../../src/web/access/access';
import type { AuditEvent } from '../../../src/web/access/audit-event';
import { TooMany } from '../../../src/web/access/limits';
import { Refused, type Role, setUser, userOf } from '../../../src/web/access/user';
import type { DeadLetterEntry } from '../../../src/web/api/api-types';
import { type ListParts, readingListWeb } from '../../../src/web/api/list-app';
import type { BeforeLetter } from '../../../src/web/api/operator-routes';
import { listen } from '../../../src/web/health';
import { type Database, openDatabase } from '../../../src/worklist/database';
import { TurnaroundCache } from '../../../src/worklist/turnaround-cache';
import { Worklist } from '../../../src/worklist/worklist';
import {
  type FakeAnswers,
  fakePipeline,
  MemoryAnnouncer,
  MemoryArchive,
  runStudyHere,
} from '../pipeline/fake-pipeline';
import { recordingLog } from '../records/logs';
import { heldToContract } from './contract';
import { builtPages } from './pages';

/**
 * A reading list as the service serves it, with an archive in memory and sign-in by a header: `x-test-roles:
 * radiologist,operator`.
 */
export class ListSite {
  readonly archive = new MemoryArchive();
  readonly audit: AuditEvent[] = [];
  /** No audit message can be written. */
  auditsAreLost = false;
  letters: DeadLetterEntry[] = [];
  readonly acted: string[] = [];
  /** Every session has ended. */
  signedOut = false;
  private announcer = new MemoryAnnouncer();

  private constructor(
    readonly worklist: Worklist,
    readonly database: Database,
    readonly log: ReturnType<typeof recordingLog>,
    readonly url: string,
    private readonly closeAll: () => Promise<void>,
    readonly app: Express,
  ) {}

  static async open(
    options: {
      readonly database?: string;
      readonly parts?: Partial<ListParts>;
      /** The access layer as the service has it, in the place of sign-in by a header. */
      readonly behind?: (database: Database, log: Log) => Access;
    } = {},
  ): Promise<ListSite> {
    const dir = mkdtempSync(join(tmpdir(), 'hilum-list-'));
    const log = recordingLog();
    const database = openDatabase(options.database ?? `file:${join(dir, 'list.db')}`, log);
    await database.ready();
    const worklist = new Worklist(database);
    const holder: { site?: ListSite } = {};
    const access = options.behind?.(database, log) ?? null;
    const parts = { ...defaultParts(worklist, holder), ...(access === null ? {} : { access }), ...options.parts };
    const web = readingListWeb(parts);
    const app = access === null ? express() : webApp({ access, checks: parts.checks, metrics: METRICS, listWeb: web });
    if (access === null) app.use(chooseLanguage('auto', false), signInByHeader, web.routes, refusals);
    const server = await listen(app, '127.0.0.1', 0);
    const close = async () => {
      web.close();
      await server.close();
      await access?.close();
      await database.close();
      rmSync(dir, { recursive: true, force: true });
    };
    await access?.begin();
    holder.site = new ListSite(worklist, database, log, `http://127.0.0.1:${server.port}`, close, app);
    return holder.site;
  }

  close(): Promise<void> {
    return this.closeAll();
  }

  /** Asks as somebody with these roles; none at all: as nobody. Answers of the API are held to its contract. */
  async get(
    path: string,
    roles: readonly Role[] = ['radiologist'],
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, {
      headers: { ...(roles.length === 0 ? {} : { 'x-test-roles': roles.join(',') }), ...headers },
    });
    return heldToContract('GET', answer);
  }

  async post(path: string, body: unknown, roles: readonly Role[] = ['radiologist'], user = 'test'): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'x-test-user': user,
        ...(roles.length === 0 ? {} : { 'x-test-roles': roles.join(',') }),
      },
    });
    return heldToContract('POST', answer);
  }

  async delete(path: string, roles: readonly Role[] = ['radiologist'], user = 'test'): Promise<Response> {
    const headers = { 'x-test-roles': roles.join(','), 'x-test-user': user };
    return heldToContract('DELETE', await fetch(`${this.url}${path}`, { method: 'DELETE', headers }));
  }

  /** A drawn film is stored and analysed by networks that answer as told; its result is on the list. */
  async analysed(
    film: Pick<SyntheticObject, 'seed'> & Partial<SyntheticObject>,
    answers: Partial<FakeAnswers> = {},
    {
      segmentation = false,
      patient = {},
    }: { segmentation?: boolean; patient?: Partial<StudyRecord['patient']> & { AccessionNumber?: string } } = {},
  ): Promise<StudyRecord> {
    const drawn: SyntheticObject = { view: 'PA', rows: 200, columns: 170, ...film };
    const reference = this.archive.put(syntheticDicom(drawn));
    const { pipeline } = fakePipeline(answers);
    const own: Pipeline = {
      ...pipeline,
      identity: () => ({
        ...pipeline.identity(),
        objects: { heatMap: true, segmentation, parametricMap: false, presentationState: false },
      }),
    };
    const event = await runStudyHere(reference.studyInstanceUid, { redelivered: true }, own, {
      archive: this.archive,
      announcer: this.announcer,
    });
    const record = recordOf(event as ResultEvent, this.archive, patient);
    await this.worklist.record(record);
    return record;
  }
}

export const studyOf = (seed: number): Uid =>
  syntheticUids({ seed, view: 'PA', rows: 200, columns: 170 }).studyInstanceUid;

/** What the loader of results makes of an event; here with a patient that no film has. */
function recordOf(
  event: ResultEvent,
  archive: MemoryArchive | null,
  { AccessionNumber = 'A-1', ...patient }: Partial<StudyRecord['patient']> & { AccessionNumber?: string } = {},
): StudyRecord {
  return {
    studyInstanceUid: event.studyInstanceUid,
    patient: {
      PatientID: 'P-77',
      IssuerOfPatientID: '',
      PatientName: 'Dreamer^Dora',
      PatientBirthDate: '19500203',
      PatientSex: 'F',
      ...patient,
    },
    study: {
      StudyID: '1',
      StudyDate: '20260102',
      StudyTime: '030405',
      TimezoneOffsetFromUTC: '',
      StudyDescription: 'Chest',
      ReferringPhysicianName: '',
      InstitutionName: '',
    },
    order: {
      AccessionNumber,
      AccessionNumberIssuer: '',
      PlacerOrderNumberImagingServiceRequest: '',
      FillerOrderNumberImagingServiceRequest: '',
      RequestedProcedureID: '',
      RequestedProcedureDescription: '',
    },
    priority: event.priority,
    films: event.films.map((film) => ({
      ...film,
      seriesInstanceUid: archive?.objects.get(film.sopInstanceUid)?.reference.seriesInstanceUid ?? null,
      sopClassUid: archive?.objects.get(film.sopInstanceUid)?.reference.sopClassUid ?? null,
      modality: 'DX',
      viewPosition: 'PA',
      remarks: [],
    })),
    models: event.models,
    softwareVersion: '0.0.1',
    completedAt: event.completedAt,
    key: parseUid(`2.25.${event.completedAt.replace(/\D/g, '')}${event.films.length}`),
  };
}

/** Many rows without objects, for what counts rows only. Every fifth is urgent. */
export async function fill(worklist: Worklist, count: number, from = 1): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await worklist.advance(
      parseUid(`1.2.826.0.1.${i}`),
      { kind: 'waiting', priority: i % 5 === 0 ? 'urgent' : 'routine' },
      Date.now() - i * 1_000,
      {
        mayHaveFilms: true,
        summary: {
          PatientID: `ID-${i}`,
          PatientName: `Family${i}^Given`,
          PatientBirthDate: '19600101',
          PatientSex: 'M',
          AccessionNumber: `ACC${i}`,
          StudyDate: '20260101',
          StudyTime: '120000',
          StudyDescription: 'Chest',
        },
      },
    );
  }
}

const METRICS = { contentType: 'text/plain', text: () => Promise.resolve('hilum_up 1\n') };

const signInByHeader: RequestHandler = (request, _response, next) => {
  const roles = request.get('x-test-roles');
  if (roles !== undefined)
    setUser(request, {
      id: `local:${request.get('x-test-user') ?? 'test'}`,
      name: 'Dr Test',
      roles: roles.split(',') as Role[],
      kind: 'local',
    });
  next();
};

const refusals: express.ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (!(error instanceof Refused || error instanceof TooMany)) {
    next(error);
    return;
  }
  response
    .status(error instanceof Refused ? error.status : 429)
    .json({ error: { code: 'REFUSED', message: 'refused' } });
};

function defaultParts(worklist: Worklist, holder: { site?: ListSite }): ListParts {
  const site = () => holder.site!;
  const take = async (id: string | null, what: string, before: BeforeLetter) => {
    const done = site().letters.filter((letter) => id === null || letter.id === id);
    for (const letter of done) await before(letter);
    site().letters = site().letters.filter((letter) => !done.includes(letter));
    site().acted.push(...done.map((letter) => `${what} ${letter.id}`));
    return done;
  };
  return {
    worklist,
    access: {
      audit: (_request, event) => {
        if (site().auditsAreLost) return Promise.reject(new HilumError('AUDIT_FAILED', 'transient', 'no room'));
        site().audit.push(event);
        return Promise.resolve();
      },
      everyoneIsLocal: false,
      current: async (request) => (site().signedOut ? null : userOf(request)),
    },
    archive: { retrieve: (path) => site().archive.retrieve(path) },
    reader: unboundedReader,
    cacheBytes: 8 * 1024 * 1024,
    pictureMs: 3_600_000,
    viewers: [{ name: 'OHIF', url: 'https://viewer.example/viewer?StudyInstanceUIDs={StudyInstanceUID}' }],
    checks: [
      { name: 'broker', look: async () => null },
      { name: 'archive', look: async () => 'it is away' },
    ],
    claimMs: 15 * 60_000,
    timeZone: 'Europe/Berlin',
    queues: async () => ({ intake: 1, urgent: 2, routine: 3, retry: 4, dead: site().letters.length }),
    ages: async () => ({ urgent: 30, routine: 90 }),
    outages: OUTAGES,
    workersConnected: async () => 2,
    deliveries: async () => [{ sink: 'fhir', waiting: 3, retry: 1, dead: 0 }],
    failingSince: new Map([['fhir', Date.parse('2026-01-02T03:04:05.000Z')]]),
    turnaround: new TurnaroundCache({ worklist, timeZone: 'Europe/Berlin' }),
    drift: () => [{ measure: 'lungFraction', films: 40, index: 0.31, chance: 0.2, level: 'changed' }],
    docsDir: join(__dirname, '../../../docs'),
    deadLetters: {
      list: async () => site().letters,
      replay: (id, before) => take(id, 'replay', before),
      drop: (id, before) => take(id, 'drop', before),
    },
    installed: { dir: join(__dirname, '../../../models'), models: [{ id: 'covid-vgg19-lungs', version: '1.0.0' }] },
    version: '0.0.1',
    log: recordingLog(),
    pagesDir: (pages ??= builtPages()),
    liveEveryMs: 100,
  };
}

const OUTAGES = {
  list: () => [
    { check: 'archive', problem: 'it is away', from: Date.parse('2026-01-02T03:00:00.000Z'), to: null },
    {
      check: 'database',
      problem: 'it did not answer',
      from: Date.parse('2026-01-01T03:00:00.000Z'),
      to: Date.parse('2026-01-01T03:05:00.000Z'),
    },
  ],
};
let pages: string | undefined;
