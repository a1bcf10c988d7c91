import { printChecks } from './check-results';
import { configOption, HilumCommand } from './command';

export const doctor = new HilumCommand(
  'doctor',
  'checks archive, broker, models, disk and clock, and says what is wrong',
)
  .description(
    'Checks archive, broker, receivers, models, disk, clock and access, and says what is wrong. Ends with 1 when something is. Stores and delivers nothing.',
  )
  .addOption(configOption())
  .option('--json', 'one JSON line per check')
  .example('hilum doctor --config /etc/hilum/hilum.yaml')
  .does(async ({ config, json = false }: { config: string; json?: boolean }) => {
    const { examine } = await import('../app/doctor/doctor.js');
    return printChecks(await examine(config), json);
  });
