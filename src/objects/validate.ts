import { describeError } from '../base/errors';
import { parseFileMeta } from '../dicom/parse';
import { type Opened, readPart10 } from '../dicom/read';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntax';
import { tryParseUid } from '../dicom/uid';
import { contentTreeProblems } from './validate-content';
import { elementProblems } from './validate-elements';
import { frameProblems, pixelProblems } from './validate-frames';
import { graphicProblems } from './validate-graphics';
import { IODS } from './validate-iods';
import { moduleProblems, pairProblems } from './validate-modules';

const META_START = 132;
/** Bytes of the group length itself. */
const GROUP_LENGTH_SIZE = 12;

/**
 * Reads a finished object and returns its problems; empty when it may be sent. It knows the SOP Classes that Hilum
 * writes and looks for mistakes that Hilum could make; it is no validator of the whole Standard. Problems name
 * attributes, never values, as they are logged.
 * @param bytes a PS3.10 file in Explicit VR Little Endian
 */
export function validateObject(bytes: Uint8Array): readonly string[] {
  try {
    const opened = readPart10(bytes);
    const damaged = [...metaProblems(bytes, opened), ...elementProblems(bytes, META_START)];
    return damaged.length > 0 ? damaged : contentProblems(opened);
  } catch (error) {
    return [`it cannot be read: ${describeError(error)}`];
  }
}

/** PS3.10 section 7.1 */
function metaProblems(bytes: Uint8Array, { sopClassUid, sopInstanceUid }: Opened): string[] {
  const { attributes: meta, next } = parseFileMeta(bytes, META_START);
  const version = meta.FileMetaInformationVersion;
  const rules: readonly (readonly [boolean, string])[] = [
    [Buffer.from(bytes.subarray(META_START - 4, META_START)).toString('latin1') === 'DICM', 'there is no DICM prefix'],
    [
      meta.FileMetaInformationGroupLength === next - META_START - GROUP_LENGTH_SIZE,
      'FileMetaInformationGroupLength is wrong',
    ],
    [version instanceof Uint8Array && version[0] === 0 && version[1] === 1, 'FileMetaInformationVersion is wrong'],
    [meta.TransferSyntaxUID === EXPLICIT_VR_LITTLE_ENDIAN, 'TransferSyntaxUID is not Explicit VR Little Endian'],
    [meta.MediaStorageSOPClassUID === sopClassUid, 'MediaStorageSOPClassUID is not the SOPClassUID'],
    [meta.MediaStorageSOPInstanceUID === sopInstanceUid, 'MediaStorageSOPInstanceUID is not the SOPInstanceUID'],
    [tryParseUid(meta.ImplementationClassUID) !== undefined, 'ImplementationClassUID is missing'],
  ];
  return rules.filter(([holds]) => !holds).map(([, problem]) => problem);
}

function contentProblems({ sopClassUid, attributes, pixelData }: Opened): string[] {
  const iod = IODS[sopClassUid];
  if (iod === undefined) return ['SOPClassUID is none that Hilum writes'];
  return [
    ...iod.modules.flatMap((module) => moduleProblems(module, attributes)),
    ...pairProblems(attributes),
    ...(iod.document ? contentTreeProblems(attributes) : []),
    ...(iod.pixels ? pixelProblems(attributes, pixelData) : []),
    ...(iod.functionalGroups ? frameProblems(attributes, iod.functionalGroups) : []),
    ...(iod.graphics ? graphicProblems(attributes) : []),
  ];
}
