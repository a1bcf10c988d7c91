import type { Request } from 'express';
import { FairQueue } from '../../base/fair-queue';
import { TooMany } from '../access/limits';
import { requiredUser } from '../access/user';

/** A page of the list asks two things at a time. */
const QUERIES = { running: 8, runningEach: 2, waitingEach: 30 };
const RETRY_S = 5;

/**
 * Asks the database at its user's turn. @throws TooMany where too many of his wait, or whoever asked has left
 * meanwhile.
 */
export type InTurn = <T>(request: Request, query: () => Promise<T>) => Promise<T>;

/**
 * A few queries of the list at a time for each user, the next in turn by user: nobody's questions keep the database
 * from the others. A turn lasts until the database has answered, even if whoever asked has left; what he left while it
 * waited is not asked.
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
