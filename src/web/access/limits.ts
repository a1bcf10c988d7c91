import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const WINDOW_S = 15 * 60;
const MINUTE_S = 60;
/** From one address there may be many people; one account may be tried from many addresses. */
const WIDER = 10;

/** A limit is reached: when to come back. */
export class TooMany extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('too many tries');
  }
}

async function take(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (rejected) {
    if (rejected instanceof RateLimiterRes) throw new TooMany(Math.max(1, Math.ceil(rejected.msBeforeNext / 1000)));
    throw rejected;
  }
}

/**
 * Counts in memory, for each process by itself. Tries are counted before the password is looked at, so that many at
 * once count too. An account is locked for the address that tries, and only after ten times as many tries for all:
 * nobody can lock a colleague out with ten wrong passwords.
 */
export class SignInLimits {
  private readonly pair;
  private readonly account;
  private readonly address;

  constructor(tries: number) {
    const limiter = (name: string, points: number) =>
      new RateLimiterMemory({ keyPrefix: name, points, duration: WINDOW_S, blockDuration: WINDOW_S });
    this.pair = limiter('pair', tries);
    this.account = limiter('account', tries * WIDER);
    this.address = limiter('address', tries * WIDER);
  }

  /** @throws TooMany */
  async count(username: string, address: string): Promise<void> {
    await take(this.address, address);
    await take(this.account, username);
    await take(this.pair, `${username} ${address}`);
  }

  /** A right password: the account's own count starts again. That of the address goes back by this one try. */
  async forgive(username: string, address: string): Promise<void> {
    await this.pair.delete(`${username} ${address}`);
    await this.account.reward(username);
    await this.address.reward(address);
  }
}

/** Requests of one user, or of one address without a sign-in, in a minute. */
export class RequestLimit {
  private readonly limiter;

  constructor(perMinute: number) {
    this.limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_S });
  }

  /** @throws TooMany */
  count(key: string): Promise<void> {
    return take(this.limiter, key);
  }
}

/**
 * Runs one at a time; more than `most` waiting are refused. Each password costs 128 MiB for a moment: many at once must
 * not take the memory that films need.
 */
export class OneByOne {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(private readonly most: number) {}

  /** @throws TooMany */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.most) throw new TooMany(10);
    this.waiting += 1;
    const mine = this.last.then(work);
    this.last = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      this.waiting -= 1;
    }
  }
}
