import { parseRoles, refuse, withDirectory } from './accounts';
import { configOption, HilumCommand, print } from './command';

interface TokensOptions {
  readonly config: string;
  readonly json?: boolean;
}

interface AddOptions extends TokensOptions {
  readonly roles: readonly string[];
  readonly days?: number;
}

const list = new HilumCommand('list', 'the tokens, without their secrets')
  .option('--json', 'one JSON line per token')
  .example('hilum tokens list --config /etc/hilum/hilum.yaml')
  .does(({ config, json = false }: TokensOptions) =>
    withDirectory(config, async ({ directory }) => {
      for (const { prefix, label, role, createdBy, createdAt, usedAt, expiresAt } of await directory.listTokens()) {
        const used = usedAt === null ? 'never used' : `used ${new Date(usedAt).toISOString()}`;
        const ends = expiresAt === null ? 'no end' : `ends ${new Date(expiresAt).toISOString().slice(0, 10)}`;
        print(
          json
            ? JSON.stringify({ prefix, label, role, createdBy, createdAt, usedAt, expiresAt })
            : `${prefix}  ${role.padEnd(12)}  ${used.padEnd(30)}  ${ends.padEnd(15)}  ${label}`,
        );
      }
      return 0;
    }),
  );

const add = new HilumCommand('add', 'a new one, shown this once')
  .argument('<LABEL>', 'one label: what the token is for')
  .requiredOption('--roles <ROLE>', 'metrics, operator, radiologist, admin: one of them', parseRoles)
  .option('--days <N>', 'how long it is valid; 365 when left out', Number)
  .option('--json', 'one JSON line')
  .example('hilum tokens add Prometheus --roles metrics --days 365 --config /etc/hilum/hilum.yaml')
  .does((label: string, { config, roles, days, json = false }: AddOptions) =>
    withDirectory(config, async (opened) => {
      const [role = '', ...more] = roles;
      if (more.length > 0) return refuse('A token has one role.');
      const { commandLineUser } = await import('../app/audit.js');
      const wanted = { label, role, createdBy: commandLineUser().id, ...(days === undefined ? {} : { days }) };
      const made = await opened.directory.addToken(wanted, opened.record);
      if (typeof made === 'string') return refuse(made);
      print(json ? JSON.stringify(made) : made.token);
      return 0;
    }),
  );

const revoke = new HilumCommand('revoke', 'ends one')
  .argument('<PREFIX>', 'one first part, as "hilum tokens list" shows it')
  .example('hilum tokens revoke 0f3a5c7e9b1d --config /etc/hilum/hilum.yaml')
  .does((prefix: string, { config }: TokensOptions) =>
    withDirectory(config, async (opened) => {
      const problem = await opened.directory.revokeToken(prefix, opened.record);
      if (problem !== null) return refuse(problem);
      print(`token ${prefix} revoked`);
      return 0;
    }),
  );

export const tokens = new HilumCommand('tokens', 'the API tokens of machines')
  .description('The API tokens of machines. Each change is in the audit trail.')
  .addOption(configOption())
  .example('hilum tokens list --config /etc/hilum/hilum.yaml')
  .addCommand(list)
  .addCommand(add)
  .addCommand(revoke);
