import { defineSink } from '../define-sink';
import { OrthancMetadata } from './client';
import { metadataSchema } from './config';
import { metadataSink } from './sink';

export const metadata = defineSink({
  key: 'metadata',
  schema: metadataSchema,
  needs: ['url'],
  open: (settings) => metadataSink(new OrthancMetadata(settings), settings),
});
