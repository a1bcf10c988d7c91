import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The shared collection of real DICOM files, which is never committed. HILUM_DATA_DIR names another place. */
const DICOM_DIR = join(process.env.HILUM_DATA_DIR ?? resolve(__dirname, '../../../../shared/data'), 'dicom');

const haveRealFiles = existsSync(DICOM_DIR);

/** `describe`, or a visible skip where the collection is not at hand. */
export const describeReal: jest.Describe = haveRealFiles ? describe : describe.skip;
if (!haveRealFiles) console.warn(`tests on real DICOM files are skipped: no ${DICOM_DIR} (set HILUM_DATA_DIR)`);

export function realFiles(): string[] {
  return haveRealFiles ? readdirSync(DICOM_DIR).filter((name) => name.endsWith('.dcm')) : [];
}

export function realFile(name: string): Uint8Array {
  return readFileSync(join(DICOM_DIR, name));
}
