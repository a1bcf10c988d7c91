import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { VERSION } from '../../src/app/installed';
import { HilumCommand } from '../../src/cli/command';
import { program } from '../../src/cli/commands';
import { PERSON_ROLES, ROLES } from '../../src/web/access/user';

const ROOT = resolve(__dirname, '../..');
const SRC = join(ROOT, 'src');

type Named = readonly [path: string, command: HilumCommand];

const commandsOf = (command: HilumCommand) => command.commands.filter((sub) => sub instanceof HilumCommand);

/** Every command, those of a group behind the group. */
function below(command: HilumCommand, path: readonly string[] = []): Named[] {
  return commandsOf(command).flatMap((sub): Named[] => {
    const words = [...path, sub.name()];
    return [[words.join(' '), sub], ...below(sub, words)];
  });
}

const commands = below(program);
const find = (path: string) => commands.find(([name]) => name === path)![1];

const flagsOf = (command: HilumCommand) => ['--help', ...command.allOptions().flatMap(({ long }) => long ?? [])];

/** What is written to standard output or error meanwhile. */
async function written(stream: 'stdout' | 'stderr', work: () => unknown): Promise<string> {
  let text = '';
  const write = jest.spyOn(process[stream], 'write').mockImplementation((part) => ((text += String(part)), true));
  try {
    await work();
  } finally {
    write.mockRestore();
  }
  return text;
}

const helpOf = (command: HilumCommand) => written('stdout', () => command.outputHelp());

test.each([...commands, ['', program] as Named])(
  'hilum %s: its help has a summary, a description of every argument and option, and an example that holds',
  async (path, command) => {
    expect(command.summary()).not.toBe('');
    for (const { description } of [...command.options, ...command.registeredArguments])
      expect(description).not.toBe('');
    expect(command.examples.length).toBeGreaterThan(0);
    const help = await helpOf(command);
    expect(command.examples.map(problemOf).filter((problem) => problem !== null)).toEqual([]);
    for (const text of [`hilum ${path}`.trim(), '\nExamples:\n', ...flagsOf(command), ...command.examples])
      expect(help).toContain(text);
  },
);

test('hilum --help lists every command', async () => {
  const help = await helpOf(program);
  for (const command of program.commands) expect(help).toMatch(new RegExp(`^ +${command.name()} `, 'm'));
  expect(help).toContain('dead list|show|replay|drop ');
  expect(help).toContain('models [check] ');
});

test('the roles that --roles names are those there are', () => {
  const named = (path: string) =>
    find(path)
      .options.find(({ long }) => long === '--roles')!
      .description.match(/^[a-z, ]+/)![0]
      .split(', ');
  expect(named('users add').sort()).toEqual([...PERSON_ROLES].sort());
  expect(named('tokens add').sort()).toEqual([...ROLES].sort());
});

/** What is wrong with a line that begins with `hilum`. */
function problemOf(line: string): string | null {
  const words = line.split(/\s+/).slice(1);
  let command = program;
  for (const word of words) {
    const sub = commandsOf(command).find((known) => known.name() === word);
    if (sub === undefined) break;
    command = sub;
  }
  const next = words[command === program ? 0 : words.indexOf(command.name()) + 1] ?? '';
  if (command.isGroup && /^[a-z]+$/.test(next) && next !== 'help') return `no command: ${line}`;
  const flags = words.flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? []);
  const unknown = flags.filter((flag) => !flagsOf(command).includes(flag));
  return unknown.length === 0 ? null : `${unknown.join(', ')}: ${line}`;
}

/** `hilum ...` in code spans and blocks, up to the comment or the next command of the line; also in a container. */
function linesOf(markdown: string): string[] {
  const indented = markdown.match(/^ {4}.*$/gm) ?? [];
  const fenced = (markdown.match(/^```[^]*?^```/gm) ?? []).flatMap((block) => block.split('\n'));
  const spans = [...markdown.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  const commands = [...indented, ...fenced, ...spans].map((code) =>
    code.replace(/docker exec hilum node \S+\/cli\.js/, 'hilum'),
  );
  return commands.flatMap((code) =>
    [...code.matchAll(/(?<![\w/.@-])(?<!-[a-z] )hilum [a-z-][^#;&"]*/g)].map(([line]) => line.trim()),
  );
}

describe('documents', () => {
  const documents = [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];

  test('a command or an option that is not there is found', () => {
    expect(
      linesOf('    npx hilum ded list # --x\nsee `hilum drift --day 7`, `hilum dead burn ID`').map(problemOf),
    ).toEqual(['no command: hilum ded list', '--day: hilum drift --day 7', 'no command: hilum dead burn ID']);
    expect(linesOf('`hilum dead replay --all --queue hl7 --config FILE`').map(problemOf)).toEqual([null]);
  });

  test.each(documents)('%s names no command or option that is not there', (name) => {
    const lines = linesOf(readFileSync(join(ROOT, name), 'utf8'));
    expect(lines.map(problemOf).filter((problem) => problem !== null)).toEqual([]);
  });

  test('the documents name many commands', () => {
    expect(documents.flatMap((name) => linesOf(readFileSync(join(ROOT, name), 'utf8'))).length).toBeGreaterThan(50);
  });
});

describe('a wrong use', () => {
  /** What is said on standard error; the exit status is that of a wrong use. */
  const said = (...args: string[]) =>
    written('stderr', () => expect(program.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ exitCode: 2 }));
  const CONFIG = ['--config', 'hilum.yaml'];

  test.each([
    [['deda'], 'hilum: there is no command deda\n(Did you mean dead?)\n\nUsage: hilum '],
    [['dead', 'replai', 'x'], 'hilum: there is no command dead replai\n(Did you mean replay?)\n\nUsage: hilum dead '],
    [['help', 'deda'], 'hilum: there is no command deda\n(Did you mean dead?)\n\nUsage: hilum '],
    [['help', 'dead', 'lst'], 'hilum: there is no command dead lst\n(Did you mean list?)\n\nUsage: hilum dead '],
    [['models', 'chek', 'x'], 'hilum: there is no command models chek\n(Did you mean check?)\n\nUsage: hilum models '],
    [['serve', '--confg', 'x'], "hilum: unknown option '--confg'\n(Did you mean --config?)\n\nUsage: hilum serve "],
    [['dead', 'list', '--qeue', 'hl7', ...CONFIG], "unknown option '--qeue'\n(Did you mean --queue?)"],
    [['serve', ...CONFIG, '--json'], "hilum: unknown option '--json'\n"],
    [['dead', 'show', 'x', '--all', ...CONFIG], "hilum: unknown option '--all'\n"],
    [['dead', 'list', '--confg', 'x'], "hilum: unknown option '--confg'\n(Did you mean --config?)"],
    [['dead', 'list'], 'hilum: --config FILE is missing\n\nUsage: hilum dead list --config <FILE> '],
    [['dead', 'burn'], 'hilum: there is no command dead burn\n'],
    [['serve'], 'hilum: --config FILE is missing\n\nUsage: hilum serve --config <FILE> '],
    [['serve', '--config', ''], 'hilum: --config FILE is missing\n'],
    [['dead', 'show', ...CONFIG], 'hilum: ID is missing\n'],
    [['dead', 'list', 'x', ...CONFIG], 'hilum: dead list takes no argument\n'],
    [['dead', 'replay', ...CONFIG], 'hilum: dead replay needs an ID or --all\n'],
    [['dead', 'drop', 'x', '--all', ...CONFIG], 'hilum: dead drop needs an ID or --all, not both\n'],
    [['drift', '--days', '0', ...CONFIG], 'hilum: --days is a whole number from 1, not 0\n'],
    [['reanalyze', ...CONFIG], 'hilum: reanalyze needs Study Instance UIDs or --since YYYY-MM-DD\n'],
  ])('%j is told, with what is right', async (args, text) => {
    expect(await said(...args)).toContain(text);
  });
});

describe('what is asked about the program', () => {
  /** What is said on standard output; the exit status is 0. */
  const answered = (...args: string[]) =>
    written('stdout', () => expect(program.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ exitCode: 0 }));

  test.each(commands.map(([path]) => path))('hilum help %s says what its --help says', async (path) => {
    const words = path.split(' ');
    const text = await answered('help', ...words);
    expect(text).toMatch(new RegExp(`^Usage: hilum ${path} `));
    expect(await answered(...words, '--help')).toBe(text);
  });

  test('hilum --version prints the version and nothing else', async () => {
    expect(await answered('--version')).toBe(`${VERSION}\n`);
  });
});

test('help loads nothing but the commands: no model, no database, no web', () => {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(SRC, file), 'utf8');
    for (const [, names, from] of text.matchAll(/^(?:import|export)\s+([^;]*?)\s+from\s+'([^']+)'/gm)) {
      if (names!.startsWith('type ')) continue;
      const module = relative(SRC, resolve(SRC, dirname(file), from!));
      if (!from!.startsWith('.')) packages.add(from!);
      else visit(existsSync(join(SRC, `${module}.ts`)) ? `${module}.ts` : `${module}/index.ts`);
    }
  };
  visit('cli.ts');
  expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander']);
});
