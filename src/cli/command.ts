import { Command, type ErrorOptions, Help, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/config';
import { isLanguage, LANGUAGE_NAMES } from '../language/languages';
import type { Language } from '../language/say';

/** A usage error: printed with the command's help, exit status 2. */
export { InvalidArgumentError as UsageError };

/** Exit status of a usage error. */
export const MISUSED = 2;

/** Exit status where results could not be written. */
export const OUTPUT_FAILED = 3;

/**
 * A command of the library `commander`, with examples in its help, error messages in Hilum's words, and an action that
 * resolves to the exit status. Options of all commands of a group are declared with the group.
 */
export class HilumCommand extends Command {
  readonly examples: string[] = [];
  /** A group of commands, which shows its help when called by itself. */
  isGroup = true;
  /** A method of commander that its types leave out. */
  declare private readonly unknownCommand: () => never;

  constructor(name: string, summary: string) {
    super(name);
    this.summary(summary).exitOverride().showHelpAfterError();
    this.addHelpText('after', () => `\nExamples:\n${this.examples.map((line) => `  ${line}\n`).join('')}`);
  }

  example(...lines: string[]): this {
    this.examples.push(...lines);
    return this;
  }

  /**
   * Sets the action. It gets the arguments, then the options with those of the group. Import what is heavy inside it,
   * so that help stays quick.
   * @param work resolves to the exit status; a UsageError is printed like any other usage error
   */
  does(work: (...given: never[]) => Promise<number>): this {
    this.isGroup = false;
    return this.action(async (...given: unknown[]) => {
      this.requireMandatory();
      // Commander passes the command's own options and the command itself after the arguments.
      const args = [...given.slice(0, -2), this.optsWithGlobals()] as never[];
      try {
        process.exitCode = await work(...args);
      } catch (error) {
        if (error instanceof InvalidArgumentError) this.error(error.message);
        throw error;
      }
    });
  }

  /** The command's own options and those of its group. */
  allOptions(): readonly Option[] {
    return [...groupOptions(this), ...this.options];
  }

  /** Disabled: commander's own check runs before it reports misspelt options; `requireMandatory` does it instead. */
  _checkForMissingMandatoryOptions(): void {}

  /** `help dead list` is the help of `dead list`; commander's own heeds only the first name, and tells no wrong one. */
  _dispatchHelpCommand(): never {
    const [, ...names] = this.args;
    const found = names.reduce<HilumCommand>((command, name) => command.subcommand(name), this);
    return found.help();
  }

  private subcommand(name: string): HilumCommand {
    const found = this.commands.find((command) => command.name() === name);
    if (found instanceof HilumCommand) return found;
    this.args = [name];
    return this.unknownCommand();
  }

  private requireMandatory(): void {
    const given = this.optsWithGlobals<Record<string, unknown>>();
    const missing = this.allOptions().find(
      (option) => option.mandatory && (given[option.attributeName()] ?? '') === '',
    );
    if (missing !== undefined) this.error(`${missing.flags.replace(/[<>]/g, '')} is missing`);
  }

  /** Names of the command and the groups that it is in, such as `models check`. */
  private path(): string[] {
    return this.parent instanceof HilumCommand ? [...this.parent.path(), this.name()] : [];
  }

  override createHelp(): Help {
    return new HilumHelp();
  }

  override error(message: string, options: ErrorOptions = {}): never {
    if (options.code === 'commander.excessArguments' && this.commands.length > 0) return this.unknownCommand();
    const text = this.inOurWords(message.replace(/^error: /, ''), options.code);
    return super.error(`hilum: ${text}`, { ...options, exitCode: MISUSED });
  }

  /** Commander's error names its subject only in the text, so that the text is parsed. */
  private inOurWords(text: string, code: string | undefined): string {
    if (code === 'commander.missingArgument') return text.replace(/^[^']*'(.*)'$/, '$1 is missing');
    if (code === 'commander.unknownCommand')
      return text.replace(
        /^unknown command '(.*)'/,
        (_all, name: string) => `there is no command ${[...this.path(), name].join(' ')}`,
      );
    if (code === 'commander.excessArguments') return `${this.path().join(' ')} takes ${this.describeArguments()}`;
    // The parser of the value wrote the whole sentence.
    if (code === 'commander.invalidArgument') return text.replace(/^.*' is invalid\. /s, '');
    return text;
  }

  private describeArguments(): string {
    const all = this.registeredArguments.map(({ description }) => description);
    return all.length === 0 ? 'no argument' : all.join(', ');
  }
}

/** Options of a command's group; the program itself is no group. */
const groupOptions = ({ parent }: Command): readonly Option[] => (parent?.parent ? parent.options : []);

/**
 * Help that shows which options are mandatory, a group's options with those of its commands, and the commands of a
 * group in brief.
 */
class HilumHelp extends Help {
  override commandUsage(command: Command): string {
    const mandatory = this.visibleOptions(command).filter((option) => option.mandatory);
    return super
      .commandUsage(command)
      .replace('[options]', [...mandatory.map(({ flags }) => flags), '[options]'].join(' '));
  }

  override visibleOptions(command: Command): Option[] {
    return [...groupOptions(command), ...super.visibleOptions(command)];
  }

  /** The description as a sentence. */
  override commandDescription(command: Command): string {
    const text = command.description() || command.summary();
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
  }

  override subcommandTerm(command: Command): string {
    const names = command.commands.map((sub) => sub.name()).join('|');
    if (names === '' || !(command instanceof HilumCommand)) return super.subcommandTerm(command);
    return `${command.name()} ${command.isGroup ? names : `[${names}]`}`;
  }
}

export const configOption = () => new Option('--config <FILE>', "the site's configuration").makeOptionMandatory();

/** Parses the language of a report. */
export function parseLanguage(text: string): Language {
  if (!isLanguage(text))
    throw new InvalidArgumentError(`--language is one of ${LANGUAGE_NAMES.join(', ')}, not ${text}`);
  return text;
}

/** @throws HilumError CONFIG_INVALID */
export async function loadConfig(path: string): Promise<Config> {
  return (await import('../config/config.js')).readConfig(path);
}

/** Writes a line to standard output, which is for results only. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line to standard error. */
export function note(text: string): void {
  process.stderr.write(`hilum: ${text}\n`);
}
