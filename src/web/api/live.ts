import { type Request, type Response, Router } from 'express';
import { describeError } from '../../base/errors';
import type { Log } from '../../base/log';
import { Shares } from '../../base/shares';
import type { StudyRow } from '../../worklist/study-row';
import type { Worklist } from '../../worklist/worklist';
import type { Access } from '../access/access';
import { TooMany } from '../access/limits';
import { hasRole, needs, requiredUser } from '../access/user';
import { whenOver } from './answers';
import type { LiveEvent } from './contract';
import { type Rights, rowView } from './row-view';
import { audited, rightsOf } from './study-routes';

export interface LiveParts {
  readonly worklist: Pick<Worklist, 'changesSince' | 'lastChange'>;
  readonly access: Pick<Access, 'audit' | 'current'>;
  readonly log: Log;
  /** How often the database is asked while anybody listens (milliseconds). */
  readonly everyMs?: number;
  /**
   * How often it is looked at who listens: a stream ends with its sign-in, and with the roles that it began with
   * (milliseconds).
   */
  readonly recheckMs?: number;
}

/** Whoever missed more changes than this asks for the list instead. */
const MOST_MISSED = 2_000;
const BATCH = 500;
/** Streams at a time: of all, and of one user, who has one for each window. */
const STREAMS = { most: 500, each: 20 };
const RETRY_S = 30;
/** A receiver that is behind by more than this is let go of (bytes): its browser resumes where it was. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** A comment now and then keeps proxies from closing a silent stream. */
const HEARTBEAT_MS = 20_000;

interface Listener {
  readonly request: Request;
  readonly response: Response;
  readonly rights: Rights;
  /** What it was sent last: a change is sent once. */
  change: number;
  /** Rows with their patient that the audit trail has for this stream. */
  readonly recorded: Set<string>;
}

/** Rows of one stream that are remembered as recorded; beyond that they are recorded again. */
const MOST_RECORDED = 10_000;

/**
 * Changes of the list as server-sent events. Their ids are the numbers of the changes, so that a browser that was away
 * resumes where it was, at whichever process it comes out. The database is asked once for all listeners, and not at all
 * while there are none.
 */
export class Live {
  private readonly listeners = new Set<Listener>();
  private readonly streams = new Shares(STREAMS);
  private timer: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private isLost = false;

  constructor(private readonly parts: LiveParts) {}

  routes(): Router {
    const router = Router();
    router.get('/live', needs('radiologist', 'operator'), async (request, response) => {
      const release = this.streams.take(requiredUser(request).id);
      if (release === null) throw new TooMany(RETRY_S);
      whenOver(response, release);
      const now = await this.parts.worklist.lastChange();
      await this.parts.access.audit(request, { kind: 'query', query: 'live updates', studies: [] });
      // Gone while the database was asked: nothing would end what is begun for it.
      if (response.destroyed) return;
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      });
      const since = startOf(request, now);
      // An id without data is no event, but where the browser resumes.
      response.write(`retry: 2000\n\nid: ${since ?? now}\n\n`);
      if (since === null) response.write('event: reset\ndata: {}\n\n');
      const listener: Listener = {
        request,
        response,
        rights: rightsOf(request),
        change: since ?? now,
        recorded: new Set(),
      };
      this.add(listener);
    });
    return router;
  }

  /** Ends all streams. */
  close(): void {
    for (const { response } of this.listeners) response.end();
    this.listeners.clear();
    this.pause();
  }

  private add(listener: Listener): void {
    const recheck = setInterval(() => void this.recheck(listener), this.parts.recheckMs ?? 30_000);
    listener.response.on('close', () => {
      clearInterval(recheck);
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.pause();
    });
    this.listeners.add(listener);
    if (this.timer === undefined) this.next(0);
    this.heartbeat ??= setInterval(
      () => this.listeners.forEach(({ response }) => response.write(': here\n\n')),
      HEARTBEAT_MS,
    );
  }

  private async recheck({ request, response, rights }: Listener): Promise<void> {
    // While the database is away nothing is sent either.
    const user = await this.parts.access.current(request).catch(() => undefined);
    if (user === undefined) return;
    if (user === null || !hasRole(user, 'radiologist', 'operator') || hasRole(user, 'radiologist') !== rights.patients)
      response.end();
  }

  private pause(): void {
    clearTimeout(this.timer);
    clearInterval(this.heartbeat);
    this.timer = this.heartbeat = undefined;
  }

  private next(delayMs: number): void {
    this.timer = setTimeout(() => {
      void this.look().then((more) => {
        if (this.listeners.size > 0 && this.timer !== undefined) this.next(more ? 0 : (this.parts.everyMs ?? 1_000));
      });
    }, delayMs);
  }

  /**
   * Tells a listener of the changes that it has not seen. @throws HilumError AUDIT_FAILED: then nothing was sent, and
   * the next look does it.
   */
  private async send(listener: Listener, rows: readonly StudyRow[], change: number): Promise<void> {
    const news = rows.filter((row) => row.change > listener.change);
    if (listener.rights.patients) await this.record(listener, news);
    // It may have gone, or its sign-in have ended, while the trail was written.
    if (this.listeners.has(listener) && !listener.response.writableEnded) write(listener, news, change);
  }

  /** Puts the patients of the rows into the audit trail, each once for a stream, before they are shown. */
  private async record({ request, rights, recorded }: Listener, rows: readonly StudyRow[]): Promise<void> {
    const fresh = rows.filter((row) => rowView(row, rights) !== null && !recorded.has(shownAs(row)));
    if (fresh.length === 0) return;
    await this.parts.access.audit(request, { kind: 'query', query: 'live updates', studies: fresh.map(audited) });
    if (recorded.size >= MOST_RECORDED) recorded.clear();
    fresh.forEach((row) => recorded.add(shownAs(row)));
  }

  /** Resolves to whether there is more. */
  private async look(): Promise<boolean> {
    try {
      // Those who come while the database is asked are served at the next look: they may resume from before.
      const present = [...this.listeners];
      const { rows, change } = await this.parts.worklist.changesSince(
        Math.min(...present.map((listener) => listener.change)),
        BATCH,
      );
      // All of them end before the next look; who could not be served is served then.
      const sent = await Promise.allSettled(present.map((listener) => this.send(listener, rows, change)));
      const failed = sent.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      this.isLost = false;
      return rows.length === BATCH;
    } catch (error) {
      // Said once for each outage: it is asked again each second.
      if (!this.isLost)
        this.parts.log.warn(
          { event: 'web.live-lost' },
          `live updates wait for the database or the audit trail: ${describeError(error)}`,
        );
      this.isLost = true;
      return false;
    }
  }
}

/** What the audit trail is to have of a row, and of it again when it is another patient's. */
const shownAs = ({ studyInstanceUid, patient: { PatientID }, accessionNumber }: StudyRow): string =>
  JSON.stringify([studyInstanceUid, PatientID, accessionNumber]);

/** Where to begin: after the event that the browser saw last, or after its list. Null where that can't be served. */
function startOf(request: Request, now: number): number | null {
  const said = request.get('last-event-id') ?? request.query['since'];
  if (said === undefined) return now;
  const change = typeof said === 'string' && /^\d{1,15}$/.test(said) ? Number(said) : NaN;
  return change <= now && now - change <= MOST_MISSED ? change : null;
}

function write(listener: Listener, rows: readonly StudyRow[], change: number): void {
  if (listener.response.writableLength > MOST_UNREAD) return void listener.response.destroy();
  for (const row of rows) {
    listener.change = row.change;
    const view = rowView(row, listener.rights);
    const event: LiveEvent =
      view === null ? { kind: 'gone', studyInstanceUid: row.studyInstanceUid } : { kind: 'study', row: view };
    listener.response.write(`event: change\nid: ${row.change}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  listener.change = Math.max(listener.change, change);
}
