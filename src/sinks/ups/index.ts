import { defineSink } from '../define-sink';
import { UpsClient } from './client';
import { upsSchema } from './config';
import { upsSink } from './sink';

export const ups = defineSink({
  key: 'ups',
  schema: upsSchema,
  needs: ['url'],
  open: (settings, { archiveUrl }) =>
    upsSink(new UpsClient(settings), { ...settings, retrieveUrl: settings.retrieveUrl ?? archiveUrl }),
});
