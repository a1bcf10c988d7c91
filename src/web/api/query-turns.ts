import type { Request } from 'express';
import { FairQueue } from '../../base/fair-queue';
import { TooMany } from '../access/limits';
import { requiredUser } from '../access/user';

/** Limits: a page of the list makes two queries at the same time. */
const QUERIES = { running: 8, runningEach: 2, waitingEach: 30 };
const RETRY_S = 5;

/**
 * Runs a query when it is its user's turn.
 * @throws TooMany where too many queries of the user wait, or the client has gone meanwhile
 */
export type InTurn = <T>(request: Request, query: () => Promise<T>) => Promise<T>;

/**
 * Limits the list's queries, users in turn, so that one user's queries do not delay the others'. A turn lasts until the
 * database has answered, even if the client has gone; waiting queries of a client that has gone are dropped.
 */
export function queryTurns(): InTurn {
  const queue = new FairQueue(QUERIES);
  return async (request, query) => {
    const turn = queue.enter(requiredUser(request).id);
    if (turn === null) throw new TooMany(RETRY_S);
    const end = await turn;
    try {
      if (request.res?.destroyed === true) throw new TooMany(RETRY_S);
      return await query();
    } finally {
      end();
    }
  };
}
