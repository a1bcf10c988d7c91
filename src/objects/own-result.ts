import { type Attributes, text } from '../dicom/attributes';
import type { AnalysisIdentity } from './analysis';

/** What Hilum calls itself in what it writes (General Equipment, PS3.3 section C.7.5.1). */
export const HILUM: AnalysisIdentity['device'] = {
  name: 'Hilum',
  manufacturer: 'Hilum',
  model: 'Hilum chest-film triage',
};

/** Whether an object is a result of Hilum, of whatever kind and version. */
export function isOwnResult(header: Attributes): boolean {
  return text(header, 'Manufacturer') === HILUM.manufacturer && text(header, 'ManufacturerModelName') === HILUM.model;
}
