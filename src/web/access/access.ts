import type { Request, RequestHandler, ErrorRequestHandler, Router } from 'express';
import type { AuditEvent } from './audit-event';

/**
 * The layer that everything else of the web sits behind. Mount it so:
 *
 *     app.use(access.front);               // headers, sign-in pages, who it is, CSRF, rate limit; without a sign-in nothing passes but `access.openPaths`
 *     app.get('/api/studies', needs('radiologist'), handler);
 *     app.use(access.refusals);            // last: turns a refusal into 401, 403, 429, 503, as JSON or as a page
 *
 * Each route begins with `open`, `signedIn` or `needs(...)` (user.ts); a test walks all routes and fails on one without.
 */
export interface Access {
  readonly front: RequestHandler | Router;
  readonly refusals: ErrorRequestHandler;
  /**
   * Writes an audit message about this request and resolves when it is on the disk: await it before what it tells of is answered.
   * @throws Refused 503 when it can't be written: nothing is shown that is not recorded.
   */
  audit(request: Request, event: AuditEvent): Promise<void>;
  /** Whether nobody has to sign in (access.kind none, on loopback only): the pages say so. */
  readonly everyoneIsLocal: boolean;
  close(): Promise<void>;
}
