import { defineSink } from '../define-sink';
import { OrthancModality } from './client';
import { dicomSchema } from './config';
import { dicomSink } from './sink';

export const dicom = defineSink({
  key: 'dicom',
  schema: dicomSchema,
  needs: ['url', 'modality'],
  open: (settings, { log }) => dicomSink(new OrthancModality(settings), settings, log),
});
