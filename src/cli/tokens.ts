import { openDirectory } from '../app/access';
import { createLog } from '../base/log';
import { readConfig } from '../config/config';
import { operator } from './users';

export interface TokensOptions {
  readonly action: 'list' | 'add' | 'revoke';
  /** What the token is for, or with revoke its prefix; empty with list. */
  readonly target: string;
  /** One role. */
  readonly roles: readonly string[];
  readonly config: string;
  readonly json: boolean;
}

type Opened = ReturnType<typeof openDirectory>;

/**
 * API tokens of machines. A new one goes to standard output, this once. Resolves to 1 with the reason on standard error
 * when something can't be done.
 */
export async function tokens({ action, target, roles, config, json }: TokensOptions): Promise<number> {
  const opened = openDirectory(readConfig(config), createLog('silent'));
  try {
    switch (action) {
      case 'list':
        return await list(opened, json);
      case 'add':
        return await add(opened, target, roles, json);
      case 'revoke':
        return await revoke(opened, target);
    }
  } finally {
    await opened.close();
  }
}

async function list({ directory }: Opened, json: boolean): Promise<number> {
  for (const { prefix, label, role, createdBy, createdAt, usedAt } of await directory.listTokens()) {
    const used = usedAt === null ? 'never used' : `used ${new Date(usedAt).toISOString()}`;
    process.stdout.write(
      json
        ? `${JSON.stringify({ prefix, label, role, createdBy, createdAt, usedAt })}\n`
        : `${prefix}  ${role.padEnd(12)}  ${used.padEnd(30)}  ${label}\n`,
    );
  }
  return 0;
}

async function add(
  { directory, recorder }: Opened,
  label: string,
  [role = '', ...more]: readonly string[],
  json: boolean,
): Promise<number> {
  const made = more.length > 0 ? 'A token has one role.' : await directory.addToken(label, role, operator().id);
  if (typeof made === 'string') return fail(made);
  await recorder.record(operator(), {
    kind: 'account',
    what: `API token made for ${role}`,
    account: `token:${made.prefix}`,
    isRoleChange: true,
  });
  process.stdout.write(json ? `${JSON.stringify(made)}\n` : `${made.token}\n`);
  return 0;
}

async function revoke({ directory, recorder }: Opened, prefix: string): Promise<number> {
  const problem = await directory.revokeToken(prefix);
  if (problem !== null) return fail(problem);
  await recorder.record(operator(), {
    kind: 'account',
    what: 'API token revoked',
    account: `token:${prefix}`,
    isRoleChange: true,
  });
  process.stdout.write(`token ${prefix} revoked\n`);
  return 0;
}

function fail(problem: string): number {
  process.stderr.write(`hilum: ${problem}\n`);
  return 1;
}
