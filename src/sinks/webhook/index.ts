import { defineSink } from '../define-sink';
import { WebhookClient } from './client';
import { webhookSchema } from './config';
import { webhookSink } from './sink';

export const webhook = defineSink({
  key: 'webhook',
  schema: webhookSchema,
  needs: ['url', 'secret'],
  open: (settings) => webhookSink(new WebhookClient(settings), settings),
});
