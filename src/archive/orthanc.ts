import { z } from 'zod';
import { HilumError } from '../base/errors';
import { tryParseUid, type Uid } from '../dicom/uid';
import { type HttpClient, type HttpOptions, readText, statusError } from '../net/http';
import { archiveHttp } from './archive-http';

export interface OrthancOptions extends HttpOptions {
  /** Orthanc's own REST API, e.g. http://orthanc:8042 */
  readonly url: string;
}

/** One entry of Orthanc's list of changes. */
interface Change {
  /** Place in the list: grows, with gaps where resources were deleted. */
  readonly seq: number;
  /** NewStudy, StableStudy, NewSeries ... */
  readonly type: string;
  readonly resource: { readonly level: string; readonly id: string };
  /** YYYYMMDDTHHMMSS in Orthanc's own time zone. */
  readonly date: string;
}

export interface OrthancChanges {
  /** Sequence number of the newest change; 0 where there is none. */
  last(): Promise<number>;
  /**
   * At most `limit` changes after `since`, oldest first. The caller filters by type: Orthanc does so only since 1.12.5.
   */
  changes(since: number, limit: number): Promise<Change[]>;
  /** Study Instance UID of a study, or of the study of a series; null when it was deleted meanwhile. */
  studyOf(resource: Change['resource']): Promise<Uid | null>;
  close(): Promise<void>;
}

const MAX_JSON_BYTES = 16 * 1024 * 1024;

const changesSchema = z.object({
  Changes: z.array(
    z.object({
      Seq: z.number().int(),
      ChangeType: z.string(),
      ResourceType: z.string(),
      ID: z.string(),
      Date: z.string(),
    }),
  ),
  Last: z.number().int(),
});
const studySchema = z.object({ MainDicomTags: z.object({ StudyInstanceUID: z.string() }) });

/**
 * Orthanc's own API, of any version. Every method throws the errors of the HTTP client.
 * @throws HilumError CONFIG_INVALID for unreadable TLS files
 */
export function orthancChanges(options: OrthancOptions): OrthancChanges {
  const http = archiveHttp(options);
  const root = options.url.replace(/\/+$/, '');
  return {
    last: async () => (await get(http, `${root}/changes?last`, changesSchema)).Last,
    changes: async (since, limit) => {
      const { Changes } = await get(http, `${root}/changes?since=${since}&limit=${limit}`, changesSchema);
      return Changes.map(({ Seq, ChangeType, ResourceType, ID, Date }) => ({
        seq: Seq,
        type: ChangeType,
        resource: { level: ResourceType, id: ID },
        date: Date,
      }));
    },
    studyOf({ level, id }) {
      const resource = encodeURIComponent(id);
      return studyOf(http, `${root}/${level === 'Series' ? `series/${resource}/study` : `studies/${resource}`}`);
    },
    close: () => http.close(),
  };
}

const lookupSchema = z.array(z.object({ Type: z.string(), ID: z.string() }));

/** Deletes a study; false where the server is no Orthanc or refuses it. @throws HilumError of the HTTP client */
export async function removeStudy(options: OrthancOptions, study: Uid): Promise<boolean> {
  const http = archiveHttp(options);
  const root = options.url.replace(/\/+$/, '');
  const headers = { accept: 'application/json' };
  try {
    const body = Buffer.from(study);
    const found = await http.send(`${root}/tools/lookup`, { method: 'POST', headers, body }, async (answer) =>
      answer.status === 200
        ? lookupSchema.safeParse(parseJson(await readText(answer.body, MAX_JSON_BYTES))).data
        : undefined,
    );
    const id = found?.find(({ Type }) => Type === 'Study')?.ID;
    if (id === undefined) return false;
    const url = `${root}/studies/${encodeURIComponent(id)}`;
    return await http.send(url, { method: 'DELETE', headers }, ({ status }) => Promise.resolve(status === 200));
  } finally {
    await http.close();
  }
}

const MAX_TIME_BYTES = 64;

/**
 * The clock of an Orthanc, to the second (/tools/now, which is in UTC); null of any other server.
 * @throws HilumError of the HTTP client.
 */
export async function orthancClock(options: OrthancOptions): Promise<Date | null> {
  const http = archiveHttp(options);
  try {
    return await http.send(`${options.url.replace(/\/+$/, '')}/tools/now`, { headers: {} }, async (answer) =>
      answer.status === 200 ? timeOf(await readText(answer.body, MAX_TIME_BYTES)) : null,
    );
  } catch (error) {
    if (error instanceof HilumError && error.code === 'ARCHIVE_RESPONSE_INVALID') return null;
    throw error;
  } finally {
    await http.close();
  }
}

/** YYYYMMDDTHHMMSS */
function timeOf(text: string): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(text.trim());
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1);
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? null : time;
}

async function studyOf(http: HttpClient, url: string): Promise<Uid | null> {
  try {
    const { MainDicomTags } = await get(http, url, studySchema);
    return tryParseUid(MainDicomTags.StudyInstanceUID) ?? null;
  } catch (error) {
    if (error instanceof HilumError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

function get<T>(http: HttpClient, url: string, schema: z.ZodType<T>): Promise<T> {
  return http.send(url, { headers: { accept: 'application/json', 'accept-encoding': 'gzip' } }, async (answer) => {
    if (answer.status !== 200) throw statusError('read the list of changes', answer.status, answer.retryAfter);
    const parsed = schema.safeParse(parseJson(await readText(answer.body, MAX_JSON_BYTES)));
    if (parsed.success) return parsed.data;
    throw new HilumError(
      'ARCHIVE_RESPONSE_INVALID',
      'transient',
      "Orthanc's REST API answered something else than expected: is catchUp.orthancUrl its root?",
    );
  });
}

/** The error has no cause, as V8's message quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
