import { type Attributes, text } from '../dicom/attributes';
import type { AnalysisIdentity } from './analysis';

/** Manufacturer, model and name of Hilum in its objects (General Equipment, PS3.3 section C.7.5.1). */
export const HILUM: AnalysisIdentity['device'] = {
  name: 'Hilum',
  manufacturer: 'Hilum',
  model: 'Hilum chest-film triage',
};

/** Whether an object was written by Hilum, of any kind and version. */
export function isOwnResult(header: Attributes): boolean {
  return text(header, 'Manufacturer') === HILUM.manufacturer && text(header, 'ManufacturerModelName') === HILUM.model;
}
