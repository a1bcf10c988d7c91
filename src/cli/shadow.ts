import type { Language } from '../language/say';
import { configOption, HilumCommand, parseLanguage, UsageError } from './command';

interface ShadowCommandOptions {
  readonly config: string;
  readonly out: string;
  readonly against?: string;
  readonly protocol?: string;
  readonly since?: string;
  readonly until?: string;
  readonly language?: Language;
}

export const shadow = new HilumCommand('shadow', 'what shadow mode came to: a report in HTML and JSON')
  .description(
    'What shadow mode came to (results.mode: shadow): films, outcomes, what was flagged, day by day, against the ' +
      'films of the validation, and against another service on the same films. It changes nothing, and the service ' +
      'may run. Ends with 1 when there is nothing to report, with 3 when the report could not be written.',
  )
  .addOption(configOption())
  .requiredOption('--out <DIR>', 'where the report goes')
  .option('--against <FILE>', 'the configuration of another service: in shadow mode too, or the live one with its list')
  .option('--protocol <FILE>', 'site, examiner and purpose for the report (YAML), as for evaluate')
  .option('--since <DATE>', 'films analysed from this day on, YYYY-MM-DD (UTC)', parseDay)
  .option('--until <DATE>', 'films analysed up to this day, YYYY-MM-DD (UTC)', parseDay)
  .option('--language <LANGUAGE>', "of the page: en, es, de or fr; by default the configuration's", parseLanguage)
  .example(
    'hilum shadow --config /etc/hilum/hilum.yaml --out REPORT',
    'hilum shadow --config NEW.yaml --against /etc/hilum/hilum.yaml --since 2026-03-01 --out REPORT',
  )
  .does(async (options: ShadowCommandOptions) => {
    const { reportShadow } = await import('../app/shadow-report.js');
    const { report, html } = await reportShadow(options);
    const { ENGLISH } = await import('../language/words.js');
    const { figuresIn } = await import('../evaluation/words.js');
    const { share, decimal } = figuresIn(ENGLISH);
    const lines = [
      `${report.films} films of ${report.studies} studies, ${report.urgent.n} analysed; urgent ${share(report.urgent)}`,
      ...report.findings.map(
        ({ label, operatingPoint, flagged }) => `${label}: at or above ${decimal(operatingPoint, 4)} ${share(flagged)}`,
      ),
      ...(report.agreement?.findings ?? []).map(
        ({ label, films, same }) =>
          `${label}: the same as ${report.agreement!.name} on ${share(same)} (${films} films)`,
      ),
      `report: ${html}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  });

function parseDay(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new UsageError(`a day is written YYYY-MM-DD, not ${text}`);
  return text;
}
