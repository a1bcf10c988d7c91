import { VERSION } from '../app/installed';
import { RESEARCH_USE } from '../finding/wording';
import { analyze } from './analyze';
import { backup } from './backup';
import { HilumCommand } from './command';
import { dead } from './dead';
import { doctor } from './doctor';
import { drift } from './drift';
import { evaluate } from './evaluate';
import { init } from './init';
import { models } from './models';
import { reanalyze } from './reanalyze';
import { rebuild } from './rebuild';
import { restore } from './restore';
import { serve } from './serve';
import { shadow } from './shadow';
import { tokens } from './tokens';
import { users } from './users';

/** All commands in the order of `hilum --help`. A new one is a file in this folder and a line here. */
const COMMANDS = [
  init,
  serve,
  analyze,
  evaluate,
  models,
  doctor,
  dead,
  drift,
  shadow,
  reanalyze,
  users,
  tokens,
  rebuild,
  backup,
  restore,
];

export const program = COMMANDS.reduce(
  (all, command) => all.addCommand(command),
  new HilumCommand('hilum', `chest-film triage for a PACS. ${RESEARCH_USE.sentence}`)
    .version(VERSION, '--version', 'prints the version')
    .example('hilum serve --config /etc/hilum/hilum.yaml', 'hilum analyze FILM.dcm --out results', 'hilum help dead'),
);
