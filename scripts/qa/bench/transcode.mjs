/** A DICOM file in another transfer syntax. */
import dcmjs from 'dcmjs';
import codecs from 'dcmjs-codecs';

for (const { log } of [dcmjs, codecs]) log.setLevel('silent', false);
await codecs.NativeCodecs.initializeAsync();

/** @param {Uint8Array} bytes @param {string} syntax a Transfer Syntax UID @returns {Buffer} */
export function transcoded(bytes, syntax) {
  const transcoder = new codecs.Transcoder(Uint8Array.from(bytes).buffer);
  transcoder.transcode(syntax);
  return withByteFragments(Buffer.from(transcoder.getDicomPart10()));
}

/** Compressed pixel data are OB (PS3.5 section A.4); the transcoder leaves the OW of raw ones. */
function withByteFragments(bytes) {
  const at = bytes.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, ...Buffer.from('OW')]));
  if (at >= 0) bytes.write('OB', at + 4, 'latin1');
  return bytes;
}
