import { randomBytes } from 'node:crypto';
import type { DicomWebArchive } from '../../archive/dicomweb';
import { removeStudy } from '../../archive/orthanc';
import type { CheckResult } from '../../base/check-result';
import { describeError } from '../../base/errors';
import type { Config } from '../../config/config';
import type { EncodedObject } from '../../dicom/part10';
import { deriveUid } from '../../dicom/uid';
import { SOP_CLASSES } from '../../objects/sop-classes';
import { writePart10 } from '../../objects/write';
import { LONGEST_SIDE } from '../../pipeline/picture-frame';
import { openArchive } from '../archive';

const CHECK = 'archive: store test';

/** Stores an object as large as the largest result, in a study of its own without a patient, and removes it again. */
export async function examineStore(config: Config): Promise<CheckResult[]> {
  const archive = openArchive(config);
  try {
    const { study, object } = testObject();
    const stored = await tryStore(archive, study, object);
    return stored.ok ? [stored, await remove(config, study)] : [stored];
  } finally {
    await archive.close();
  }
}

type TestObject = ReturnType<typeof testObject>;

async function tryStore(
  archive: DicomWebArchive,
  study: TestObject['study'],
  object: EncodedObject,
): Promise<CheckResult> {
  const size = `${object.bytes.length} bytes`;
  try {
    await archive.store(study, [object]);
    const found = await archive.findInstances(study);
    const ok = found.some(({ sopInstanceUid }) => sopInstanceUid === object.sopInstanceUid);
    return {
      check: CHECK,
      ok,
      text: ok ? `stored ${size} and found them` : `stored ${size}, but a query does not find them`,
    };
  } catch (error) {
    return { check: CHECK, ok: false, text: `${describeError(error)} (an object of ${size})` };
  }
}

/** DICOMweb has no delete; Orthanc's own API has. */
async function remove({ archive, catchUp }: Config, study: TestObject['study']): Promise<CheckResult> {
  const url = catchUp.orthancUrl ?? archive.url.replace(/\/dicom-web\/*$/, '');
  const isRemoved = await removeStudy({ ...archive, url }, study).catch(() => false);
  return {
    check: CHECK,
    ok: true,
    text: isRemoved
      ? 'the test study was removed again'
      : `the test study ${study} stays in the archive, which does not let Hilum remove it: remove it by hand`,
  };
}

/** As large as a heat map can be, of random bytes so that no proxy can compress it. */
function testObject() {
  const [study, series, instance] = [1, 2, 3].map(() => deriveUid(['doctor', randomBytes(16).toString('hex')])) as [
    ReturnType<typeof deriveUid>,
    ReturnType<typeof deriveUid>,
    ReturnType<typeof deriveUid>,
  ];
  const bytes = writePart10({
    SOPClassUID: SOP_CLASSES.heatMap,
    SOPInstanceUID: instance,
    StudyInstanceUID: study,
    SeriesInstanceUID: series,
    PatientName: 'HILUM^STORE TEST',
    PatientID: 'HILUM-STORE-TEST',
    PatientBirthDate: '',
    PatientSex: '',
    StudyDate: '',
    StudyTime: '',
    StudyID: '',
    StudyDescription: 'Hilum store test, no patient: may be deleted',
    AccessionNumber: '',
    ReferringPhysicianName: '',
    Modality: 'OT',
    SeriesNumber: '1',
    SeriesDescription: 'Hilum store test',
    ConversionType: 'WSD',
    InstanceNumber: '1',
    PatientOrientation: '',
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: LONGEST_SIDE,
    Columns: LONGEST_SIDE,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: [new Uint8Array(randomBytes(LONGEST_SIDE * LONGEST_SIDE * 3)).buffer],
    _vrMap: { PixelData: 'OB' },
  });
  return {
    study,
    object: { sopClassUid: SOP_CLASSES.heatMap, seriesInstanceUid: series, sopInstanceUid: instance, bytes },
  };
}
