/** The manual page of `hilum`, from its commands' own help: nothing about them is written twice. */

/**
 * @param {import('commander').Command} program of the build
 * @param {{version: string, date: Date}} stand
 * @returns {string} man(7) source
 */
export function manualPage(program, { version, date }) {
  return [
    `.TH HILUM 1 "${date.toISOString().slice(0, 10)}" "hilum ${version}" "Hilum"`,
    '.SH NAME',
    `hilum \\- ${line(program.summary())}`,
    '.SH SYNOPSIS',
    '.B hilum',
    '.I COMMAND',
    '[\\fIOPTION\\fR ...]',
    ...program.commands.flatMap((command) => commandSection(command, command.name())),
    '.SH FILES',
    ...item('/etc/hilum/hilum.yaml', 'the configuration; every key is explained in configuration.md'),
    ...item('/var/lib/hilum', 'what must outlive a restart (state.dir)'),
    ...item('/usr/share/doc/hilum/docs', 'installation, operation, security and all other documents'),
    '',
  ].join('\n');
}

function commandSection(command, name) {
  if (command.commands.length > 0)
    return [
      `.SH HILUM ${name.toUpperCase()}`,
      line(command.description() || command.summary()),
      ...command.commands.flatMap((sub) => [`.SS ${name} ${sub.name()}`, ...body(sub, `${name} ${sub.name()}`)]),
    ];
  return [`.SH HILUM ${name.toUpperCase()}`, ...body(command, name)];
}

function body(command, name) {
  const args = command.registeredArguments.map((argument) => {
    const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? shown : `[${shown}]`;
  });
  return [
    `.B hilum ${name}`,
    line(args.join(' ')),
    '.PP',
    line(command.description() || command.summary()),
    ...command.allOptions().flatMap(({ flags, description }) => item(flags, description)),
    ...(command.examples ?? []).flatMap((example) => ['.PP', '.RS', '.nf', line(example), '.fi', '.RE']),
  ];
}

const item = (term, text) => ['.TP', `.B ${escaped(term)}`, line(text)];

/** A line that begins with a point or an apostrophe would be a request. */
const line = (text) => escaped(text).replace(/^(?=[.'])/gm, '\\&');

const escaped = (text) => text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
