import { mllpClient } from '../../hl7/mllp';
import { defineSink } from '../define-sink';
import { hl7Schema } from './config';
import { hl7Sink } from './sink';

export const hl7 = defineSink({
  key: 'hl7',
  schema: hl7Schema,
  needs: ['host'],
  open: ({ tls, ...hl7 }, { log }) => hl7Sink(mllpClient({ ...hl7, tls: tls.enabled ? tls : undefined }), hl7, log),
});
