import { type Request, type Response, Router } from 'express';
import { describeError } from '../../base/errors';
import type { Log } from '../../base/log';
import { SlotLimit } from '../../base/slot-limit';
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
  /** Polling interval of the database while anybody listens (milliseconds). */
  readonly everyMs?: number;
  /**
   * Interval at which the users of streams are checked: a stream ends with its session, or when its roles change
   * (milliseconds).
   */
  readonly recheckMs?: number;
}

/** A browser that has missed more changes reloads the list instead. */
const MAX_MISSED = 2_000;
const BATCH = 500;
/** Largest number of streams: of all users, and of one, who has one for each window. */
const STREAMS = { most: 500, each: 20 };
const RETRY_S = 30;
/** Largest backlog of a stream (bytes); beyond that it is closed, and the browser resumes where it was. */
const MAX_UNREAD = 4 * 1024 * 1024;
/** Interval of comments that keep proxies from closing an idle stream (milliseconds). */
const HEARTBEAT_MS = 20_000;

interface Listener {
  readonly request: Request;
  readonly response: Response;
  readonly rights: Rights;
  /** Number of the last change sent. */
  change: number;
  /** Rows with their patient that are in the audit trail for this stream. */
  readonly recorded: Set<string>;
}

/** Largest number of recorded rows remembered for a stream; further ones are recorded again. */
const MAX_RECORDED = 10_000;

/**
 * Live updates as server-sent events. Event ids are change numbers, so that a browser resumes where it was, at any
 * process. The database is polled once for all listeners, and only while there are any.
 */
export class Live {
  private readonly listeners = new Set<Listener>();
  private readonly streams = new SlotLimit(STREAMS);
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
      // The client has gone during the query: nothing would end its stream.
      if (response.destroyed) return;
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Accel-Buffering': 'no',
      });
      const since = startOf(request, now);
      // An id without data dispatches no event, but sets the point to resume from.
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
    const timer = setTimeout(() => {
      void this.look().then((more) => {
        // Unless polling was paused meanwhile, and perhaps begun anew.
        if (this.timer === timer) this.next(more ? 0 : (this.parts.everyMs ?? 1_000));
      });
    }, delayMs);
    this.timer = timer;
  }

  /**
   * Sends the changes that a listener has not seen.
   * @throws HilumError AUDIT_FAILED: then nothing was sent, and the next poll does it
   */
  private async send(listener: Listener, rows: readonly StudyRow[], change: number): Promise<void> {
    const news = rows.filter((row) => row.change > listener.change);
    if (listener.rights.patients) await this.record(listener, news);
    // The client may have gone, or its session ended, while the trail was written.
    if (this.listeners.has(listener) && !listener.response.writableEnded) write(listener, news, change);
  }

  /** Records the patients of the rows in the audit trail before they are shown, each once for a stream. */
  private async record({ request, rights, recorded }: Listener, rows: readonly StudyRow[]): Promise<void> {
    const fresh = rows.filter((row) => rowView(row, rights) !== null && !recorded.has(shownAs(row)));
    if (fresh.length === 0) return;
    await this.parts.access.audit(request, { kind: 'query', query: 'live updates', studies: fresh.map(audited) });
    if (recorded.size >= MAX_RECORDED) recorded.clear();
    fresh.forEach((row) => recorded.add(shownAs(row)));
  }

  /** Resolves to whether there is more. */
  private async look(): Promise<boolean> {
    try {
      // Listeners that arrive during the query are served by the next poll: they may resume from an earlier change.
      const present = [...this.listeners];
      const { rows, change } = await this.parts.worklist.changesSince(
        Math.min(...present.map((listener) => listener.change)),
        BATCH,
      );
      // All sends end before the next poll, which serves those that failed.
      const sent = await Promise.allSettled(present.map((listener) => this.send(listener, rows, change)));
      const failed = sent.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      this.isLost = false;
      return rows.length === BATCH;
    } catch (error) {
      // Logged once for each outage, as the database is polled every second.
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

/** Identifies a row and its patient in the audit trail, so that a corrected patient is recorded again. */
const shownAs = ({ studyInstanceUid, patient: { PatientID }, accessionNumber }: StudyRow): string =>
  JSON.stringify([studyInstanceUid, PatientID, accessionNumber]);

/**
 * The change to start after: that of the last event the browser saw, or of its list. Null where that can't be served.
 */
function startOf(request: Request, now: number): number | null {
  const said = request.get('last-event-id') ?? request.query['since'];
  if (said === undefined) return now;
  const change = typeof said === 'string' && /^\d{1,15}$/.test(said) ? Number(said) : NaN;
  return change <= now && now - change <= MAX_MISSED ? change : null;
}

function write(listener: Listener, rows: readonly StudyRow[], change: number): void {
  if (listener.response.writableLength > MAX_UNREAD) return void listener.response.destroy();
  for (const row of rows) {
    listener.change = row.change;
    const view = rowView(row, listener.rights);
    const event: LiveEvent =
      view === null ? { kind: 'gone', studyInstanceUid: row.studyInstanceUid } : { kind: 'study', row: view };
    listener.response.write(`event: change\nid: ${row.change}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  listener.change = Math.max(listener.change, change);
}
