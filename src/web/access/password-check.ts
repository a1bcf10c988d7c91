import { networkOf } from '../../net/network';
import type { Account } from './account-store';
import type { Directory } from './directory';
import { type SignInLimits, TooMany } from './limits';

export interface GivenPassword {
  readonly username: string;
  readonly password: string;
  /** Address of the request. */
  readonly address: string;
}

/**
 * The account with this name and password, else null, within the limits of attempts.
 * @throws TooMany where it was not checked
 */
export async function checkPassword(
  { directory, limits }: { readonly directory: Directory; readonly limits: SignInLimits },
  { username, password, address }: GivenPassword,
): Promise<Account | null> {
  const look = async () => {
    const account = await directory.check(username, password, networkOf(address));
    if (account === null) await limits.failed(username);
    else await limits.forgive(username, address);
    return account;
  };
  try {
    await limits.count(username, address);
  } catch (error) {
    if (!(error instanceof TooMany) || !limits.knows(username, address)) throw error;
    return limits.slowly(username, address, look);
  }
  return look();
}
