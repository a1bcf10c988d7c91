import { operator, parseRoles, recordChange, refuse, withDirectory } from './accounts';
import { configOption, HilumCommand, print } from './command';

interface TokensOptions {
  readonly config: string;
  readonly json?: boolean;
}

const list = new HilumCommand('list', 'the tokens, without their secrets')
  .option('--json', 'one JSON line per token')
  .example('hilum tokens list --config /etc/hilum/hilum.yaml')
  .does(({ config, json = false }: TokensOptions) =>
    withDirectory(config, async ({ directory }) => {
      for (const { prefix, label, role, createdBy, createdAt, usedAt } of await directory.listTokens()) {
        const used = usedAt === null ? 'never used' : `used ${new Date(usedAt).toISOString()}`;
        print(
          json
            ? JSON.stringify({ prefix, label, role, createdBy, createdAt, usedAt })
            : `${prefix}  ${role.padEnd(12)}  ${used.padEnd(30)}  ${label}`,
        );
      }
      return 0;
    }),
  );

const add = new HilumCommand('add', 'a new one, shown this once')
  .argument('<LABEL>', 'one label: what the token is for')
  .requiredOption('--roles <ROLE>', 'metrics, operator, radiologist, admin: one of them', parseRoles)
  .option('--json', 'one JSON line')
  .example('hilum tokens add Prometheus --roles metrics --config /etc/hilum/hilum.yaml')
  .does((label: string, { config, roles, json = false }: TokensOptions & { readonly roles: readonly string[] }) =>
    withDirectory(config, async (opened) => {
      const [role = '', ...more] = roles;
      const made =
        more.length > 0 ? 'A token has one role.' : await opened.directory.addToken(label, role, operator().id);
      if (typeof made === 'string') return refuse(made);
      const account = `token:${made.prefix}`;
      await recordChange(opened, { what: `API token made for ${role}`, account, isRoleChange: true });
      print(json ? JSON.stringify(made) : made.token);
      return 0;
    }),
  );

const revoke = new HilumCommand('revoke', 'ends one')
  .argument('<PREFIX>', 'one first part, as "hilum tokens list" shows it')
  .example('hilum tokens revoke 0f3a5c7e9b1d --config /etc/hilum/hilum.yaml')
  .does((prefix: string, { config }: TokensOptions) =>
    withDirectory(config, async (opened) => {
      const problem = await opened.directory.revokeToken(prefix);
      if (problem !== null) return refuse(problem);
      await recordChange(opened, { what: 'API token revoked', account: `token:${prefix}`, isRoleChange: true });
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
