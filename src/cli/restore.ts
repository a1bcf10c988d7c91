import { configOption, HilumCommand, loadConfig, print } from './command';

export const restore = new HilumCommand('restore', 'puts a backup in the place of the reading list; service stopped')
  .description(
    'Puts the database of a backup in the place of the embedded one. Refuses while any process has that open, a ' +
      'backup that is damaged, and one of a version that this one does not run on. The database that was there is ' +
      'kept beside it. For a list in PostgreSQL it says which commands do it, and ends with 1.',
  )
  .argument('<FILE>', 'a backup that hilum backup has written')
  .addOption(configOption())
  .example('hilum restore /var/backups/hilum.backup --config /etc/hilum/hilum.yaml')
  .does(async (file: string, { config: path }: { readonly config: string }) => {
    const config = await loadConfig(path);
    const { restore: restoreFrom } = await import('../app/backup.js');
    const { manifest, replaced, path: database } = await restoreFrom(config, file);
    const { createdAt, hilum, studies, verdicts, accounts } = manifest;
    print(
      `${database} is now that of ${createdAt}, written by version ${hilum}: ${studies} studies, ${verdicts} ` +
        `verdicts, ${accounts} accounts. ` +
        (replaced === null ? 'There was none before. ' : `The one before is beside it: ${replaced}. `) +
        'All sessions are ended; accounts and API tokens are those of that time.',
    );
    print('What came since: hilum rebuild takes results from the archive; readings and verdicts are lost.');
    return 0;
  });
