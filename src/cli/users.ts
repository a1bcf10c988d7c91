import { type OpenedDirectory, parseRoles, refuse, withDirectory } from './accounts';
import { askPassword } from './ask';
import { configOption, HilumCommand, print } from './command';

interface UsersOptions {
  readonly config: string;
}

interface RoleOptions extends UsersOptions {
  readonly roles: readonly string[];
}

const ROLES = ['--roles <ROLE,...>', 'radiologist, operator, admin: one or several'] as const;

const list = new HilumCommand('list', 'the accounts')
  .option('--json', 'one JSON line per account')
  .example('hilum users list --config /etc/hilum/hilum.yaml')
  .does(({ config, json = false }: UsersOptions & { readonly json?: boolean }) =>
    withDirectory(config, async ({ directory }) => {
      for (const { username, displayName, roles } of await directory.list())
        print(
          json
            ? JSON.stringify({ username, displayName, roles })
            : `${username.padEnd(24)}  ${roles.join(',').padEnd(28)}  ${displayName}`,
        );
      return 0;
    }),
  );

const add = new HilumCommand('add', 'a new account; asks for the password')
  .description('A new account. Asks for the password, or takes it from the first line of standard input.')
  .argument('<NAME>', 'one name, to sign in with')
  .requiredOption(...ROLES, parseRoles)
  .option('--name <TEXT>', "the person's name")
  .example('hilum users add chief --roles admin,operator --name "The Chief" --config /etc/hilum/hilum.yaml')
  .does((username: string, { config, roles, name = '' }: RoleOptions & { readonly name?: string }) =>
    change(config, {
      said: `account ${username} made with the roles ${roles.join(', ')}`,
      apply: async ({ directory, record }) =>
        directory.add({ username, displayName: name, password: await askPassword(), roles }, record),
    }),
  );

const passwd = new HilumCommand('passwd', 'another password; asks for it')
  .description(
    'Another password, which ends the sessions. Asks for it, or takes it from the first line of standard input.',
  )
  .argument('<NAME>', 'one name of an account')
  .example('hilum users passwd chief --config /etc/hilum/hilum.yaml')
  .does((username: string, { config }: UsersOptions) =>
    change(config, {
      said: `password of ${username} set, its sessions ended`,
      apply: async ({ directory, record }) => directory.setPassword(username, await askPassword(), record),
    }),
  );

const role = new HilumCommand('role', 'other roles')
  .argument('<NAME>', 'one name of an account')
  .requiredOption(...ROLES, parseRoles)
  .example('hilum users role chief --roles admin --config /etc/hilum/hilum.yaml')
  .does((username: string, { config, roles }: RoleOptions) =>
    change(config, {
      said: `roles of ${username} are now ${roles.join(', ')}`,
      apply: ({ directory, record }) => directory.setRoles(username, roles, record),
    }),
  );

const remove = new HilumCommand('remove', 'removes an account and ends its sessions')
  .argument('<NAME>', 'one name of an account')
  .example('hilum users remove chief --config /etc/hilum/hilum.yaml')
  .does((username: string, { config }: UsersOptions) =>
    change(config, {
      said: `account ${username} removed, its sessions ended`,
      apply: ({ directory, record }) => directory.remove(username, record),
    }),
  );

export const users = new HilumCommand('users', 'the accounts of Hilum')
  .description('The accounts of Hilum, for who runs the machine. Each change is in the audit trail.')
  .addOption(configOption())
  .example('hilum users list --config /etc/hilum/hilum.yaml')
  .addCommand(list)
  .addCommand(add)
  .addCommand(passwd)
  .addCommand(role)
  .addCommand(remove);

interface Change {
  /** The sentence to print when it is done. */
  readonly said: string;
  /** Resolves to the reason where it can't be done, else null. */
  readonly apply: (opened: OpenedDirectory) => Promise<string | null>;
}

/** Resolves to 1 with the reason on standard error where it can't be done. */
function change(config: string, { said, apply }: Change): Promise<number> {
  return withDirectory(config, async (opened) => {
    const problem = await apply(opened);
    if (problem !== null) return refuse(problem);
    print(said);
    return 0;
  });
}
