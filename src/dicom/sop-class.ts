/**
 * Storage SOP Classes of PS3.4 table B.5-1 (and retired ones) without images, below 1.2.840.10008.5.1.4: documents,
 * presentation states, waveforms, raw data, registrations, plans, protocols. Segmentations and parametric maps have
 * frames, but are no films.
 */
const NO_IMAGE = [
  /^1\.1\.4\.2$/,
  /^1\.1\.(8|9|10|11)(\.|$)/,
  /^1\.1\.30$/,
  /^1\.1\.6[678](\.|$)/,
  /^1\.1\.77\.1\.5\.3$/,
  /^1\.1\.(78|79|80)\./,
  /^1\.1\.(88|90|91|104|200)\./,
  /^1\.1\.(129|131)$/,
  /^1\.1\.481\.(?!1$|2$)/,
  /^1\.1\.501\.3$/,
  /^(34|38|39|43|44|45)\./,
];
const DICOM_STORAGE = '1.2.840.10008.5.1.4.';
/** Siemens CSA Non-Image Storage; Philips private MR spectrum, series data and examcard. */
const PRIVATE_NO_IMAGE = /^(1\.3\.12\.2\.1107\.5\.9\.1|1\.3\.46\.670589\.11\.0\.0\.12\.[124])$/;

/**
 * Whether objects of this SOP Class are known to have no image, whatever their Modality; unknown classes may have one.
 */
export function isNoImageClass(sopClassUid: string): boolean {
  if (PRIVATE_NO_IMAGE.test(sopClassUid)) return true;
  const storage = sopClassUid.startsWith(DICOM_STORAGE) ? sopClassUid.slice(DICOM_STORAGE.length) : null;
  return storage !== null && NO_IMAGE.some((form) => form.test(storage));
}

/** Secondary Capture, single and multi-frame. */
export function isSecondaryCapture(sopClassUid: string): boolean {
  return /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.[1-4])?$/.test(sopClassUid);
}
