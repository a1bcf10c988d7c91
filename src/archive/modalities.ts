import { valuesAt } from './json-values';

const MODALITIES_IN_STUDY = '00080061';

/** Defined terms of Modality (PS3.3 section C.7.3.1.1.1), the retired ones included. */
const DEFINED_TERMS = new Set(
  (
    'ANN AR ASMT AS AU BDUS BI BMD CD CF CFM CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG EOG EPS ' +
    'ES FA FID FS FUNDUS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM OPR OPT OPTBSV ' +
    'OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN ' +
    'RTSTRUCT RWV SEG SM SMR SR SRF ST STAIN STRESS TEXTUREMAP TG US VA VF VIDD XA XC XAPROTOCOL'
  ).split(' '),
);

/**
 * Modalities in Study (0008,0061) of a row. A joined value of some servers (`CR\SR`, `CR/SR`, `CR*SR`) is split. Null
 * where it is missing or empty or holds a word that is no modality: then the series have to be asked.
 */
export function modalitiesAt(row: unknown): readonly string[] | null {
  const words = valuesAt(row, MODALITIES_IN_STUDY).flatMap((value) =>
    typeof value === 'string' ? value.toUpperCase().split(/[^A-Z0-9_]+/) : [],
  );
  const modalities = [...new Set(words.filter((word) => word !== ''))];
  return modalities.length > 0 && modalities.every((word) => DEFINED_TERMS.has(word)) ? modalities : null;
}
