import { configOption, HilumCommand, loadConfig, print, UsageError } from './command';

interface BackupOptions {
  readonly config: string;
  readonly force?: boolean;
}

export const backup = new HilumCommand(
  'backup',
  'a backup of the reading list and its accounts, while the service runs',
)
  .description(
    'Writes a backup of the embedded database (reading list, verdicts, accounts, API tokens) while the service runs ' +
      'or not, and checks it. It holds names of patients: the file is readable by its owner alone. Configuration, ' +
      'passwords and audit trail are not in it. For a list in PostgreSQL it says what does it, and ends with 1.',
  )
  .argument('<FILE>', 'the backup')
  .addOption(configOption())
  .option('--force', 'replaces a file of that name')
  .example('hilum backup /var/backups/hilum.backup --config /etc/hilum/hilum.yaml')
  .does(async (file: string, { config: path, force = false }: BackupOptions) => {
    if (file === '-') throw new UsageError('a backup is a file, which is checked before it gets its name: give one');
    const config = await loadConfig(path);
    const { backUp } = await import('../app/backup.js');
    const { createdAt, studies, verdicts, accounts, bytes } = await backUp(config, file, force);
    print(
      `${file}: ${studies} studies, ${verdicts} verdicts and ${accounts} accounts as of ${createdAt}, ` +
        `${(bytes / 1e6).toFixed(1)} MB, checked`,
    );
    return 0;
  });
