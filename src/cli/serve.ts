import { configOption, HilumCommand } from './command';

export const serve = new HilumCommand('serve', 'the service: listens, analyses, stores results')
  .description(
    'The service: listens, analyses, stores results. Runs until SIGTERM or SIGINT, which let it finish the film in hand.',
  )
  .addOption(configOption())
  .example('hilum serve --config /etc/hilum/hilum.yaml')
  .does(async ({ config }: { config: string }) => (await import('../main.js')).serve(config));
