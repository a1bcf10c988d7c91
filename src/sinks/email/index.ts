import { defineSink } from '../define-sink';
import { SmtpClient } from './client';
import { emailSchema } from './config';
import { emailSink } from './sink';

export const email = defineSink({
  key: 'email',
  schema: emailSchema,
  needs: ['host', 'from', 'to'],
  open: (settings, { language = 'en' }) => emailSink(new SmtpClient(settings), { ...settings, language }),
});
