import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { FairQueue } from '../../base/fair-queue';
import { sleep } from '../../base/retry';
import { networkOf } from '../../net/network';

const WINDOW_S = 15 * 60;
const MINUTE_S = 60;
/**
 * Factor for limits of one address or one account: an address may have many users, and an account may be tried from
 * many addresses.
 */
const WIDER = 10;
/** Duration of a slowed attempt with a wrong password (milliseconds), and the number of such attempts that may wait. */
const SLOW_MS = 5_000;
const MAX_SLOW = 5;
/** Largest number of networks remembered for an account. */
const MAX_KNOWN = 20;

/** A limit is reached; has the time to wait. */
export class TooMany extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('too many tries');
  }
}

const tooMany = ({ msBeforeNext }: RateLimiterRes) => new TooMany(Math.max(1, Math.ceil(msBeforeNext / 1000)));

async function take(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (rejected) {
    throw rejected instanceof RateLimiterRes ? tooMany(rejected) : rejected;
  }
}

const pairOf = (username: string, network: string) => `${username} ${network}`;

/**
 * Counts sign-in attempts in memory, for each process, an address by its network. Before the password is checked, an
 * attempt counts for the pair of account and address and for the address, so that parallel attempts count too. It
 * counts for the account only after a wrong password: one address can't lock others out, and ten are needed to lock an
 * account for unknown addresses. From addresses where it was signed in to before, an account is never locked, only
 * slowed ({@link slowly}).
 */
export class SignInLimits {
  private readonly pair;
  private readonly account;
  private readonly address;
  private readonly known = new Map<string, Set<string>>();
  private readonly slow = new FairQueue({ running: Infinity, runningEach: 1, waitingEach: MAX_SLOW - 1 });

  constructor(
    private readonly tries: number,
    private readonly slowMs = SLOW_MS,
  ) {
    const limiter = (name: string, points: number) =>
      new RateLimiterMemory({ keyPrefix: name, points, duration: WINDOW_S, blockDuration: WINDOW_S });
    this.pair = limiter('pair', tries);
    this.account = limiter('account', tries * WIDER);
    this.address = limiter('address', tries * WIDER);
  }

  /** @throws TooMany */
  async count(username: string, address: string): Promise<void> {
    const network = networkOf(address);
    await take(this.pair, pairOf(username, network));
    await take(this.address, network);
    const wrong = await this.account.get(username);
    if (wrong !== null && wrong.consumedPoints >= this.tries * WIDER) throw tooMany(wrong);
  }

  /** Called after a wrong password. */
  async failed(username: string): Promise<void> {
    await take(this.account, username).catch(() => {});
  }

  /**
   * Called after a right password: resets the count of account and address, takes back this attempt for the address,
   * and remembers the address for the account.
   */
  async forgive(username: string, address: string): Promise<void> {
    const network = networkOf(address);
    await this.pair.delete(pairOf(username, network));
    await this.address.reward(network);
    const networks = this.known.get(username) ?? new Set();
    networks.delete(network);
    this.known.set(username, new Set([...networks, network].slice(-MAX_KNOWN)));
  }

  /** Whether the account was signed in to from there since the process started. */
  knows(username: string, address: string): boolean {
    return this.known.get(username)?.has(networkOf(address)) === true;
  }

  /**
   * Checks a password beyond the limits: one at a time for account and network, and a wrong one (null) takes seconds.
   * @throws TooMany where others wait already
   */
  async slowly<T>(username: string, address: string, look: () => Promise<T | null>): Promise<T | null> {
    const turn = this.slow.enter(pairOf(username, networkOf(address)));
    if (turn === null) throw new TooMany(Math.ceil(this.slowMs / 1000));
    const end = await turn;
    try {
      const found = await look();
      if (found === null) await sleep(this.slowMs);
      return found;
    } finally {
      end();
    }
  }
}

/** Limits requests per minute of one user, or of one network without a sign-in. */
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
 * Runs one task at a time, the holders in turn; with more than `most` waiting of one holder further ones are refused.
 * Checking a password takes 128 MiB for a moment, which must not take the memory that films need.
 */
export class OneByOne {
  private readonly queue;

  constructor(most: number) {
    this.queue = new FairQueue({ running: 1, runningEach: 1, waitingEach: most - 1 });
  }

  /** @throws TooMany */
  async run<T>(work: () => Promise<T>, holder = ''): Promise<T> {
    const turn = this.queue.enter(holder);
    if (turn === null) throw new TooMany(10);
    const end = await turn;
    try {
      return await work();
    } finally {
      end();
    }
  }
}
