import { printChecks } from './check-results';
import { configOption, HilumCommand } from './command';

interface DoctorOptions {
  readonly config: string;
  readonly storeTest?: boolean;
  readonly json?: boolean;
}

export const doctor = new HilumCommand(
  'doctor',
  'checks archive, broker, models, disk and clock, and says what is wrong',
)
  .description(
    'Checks archive, broker, receivers, models, disk, clock and access, and says what is wrong. Ends with 1 when something is. Stores and delivers nothing, but for the test study of --store-test.',
  )
  .addOption(configOption())
  .option(
    '--store-test',
    'stores a result of full size in a test study, looks it up, and removes it where the archive lets it',
  )
  .option('--json', 'one JSON line per check')
  .example('hilum doctor --config /etc/hilum/hilum.yaml', 'hilum doctor --store-test --config /etc/hilum/hilum.yaml')
  .does(async ({ config, storeTest = false, json = false }: DoctorOptions) => {
    const { examine } = await import('../app/doctor/doctor.js');
    return printChecks(await examine(config, { storeTest }), json);
  });
