import { defineSink } from '../define-sink';
import { fhirServer } from './client';
import { fhirSchema } from './config';
import { fhirSink } from './sink';

export const fhir = defineSink({
  key: 'fhir',
  schema: fhirSchema,
  needs: ['url'],
  open: (settings) => fhirSink(fhirServer(settings), settings),
});
