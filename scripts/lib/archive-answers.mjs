/**
 * Answers of archives, for `fuzz` and `agreement`: a server on this machine that says what it is told, and the ways in
 * which archives send an instance or rows.
 */
import http from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

const BOUNDARY = 'b0f9';
const MULTIPART = `multipart/related; type="application/dicom"; boundary=${BOUNDARY}`;

/** An object as it lies in a multipart answer, with this line end. */
function inParts(bytes, eol) {
  return Buffer.concat([
    Buffer.from(`--${BOUNDARY}${eol}Content-Type: application/dicom${eol}${eol}`),
    bytes,
    Buffer.from(`${eol}--${BOUNDARY}--${eol}`),
  ]);
}

/** Ways to send an instance by WADO-RS: status, headers and body of each. */
export const RETRIEVALS = {
  multipart: (bytes) => ({ status: 200, headers: { 'content-type': MULTIPART }, body: inParts(bytes, '\r\n') }),
  'multipart, LF only': (bytes) => ({
    status: 200,
    headers: { 'content-type': MULTIPART },
    body: inParts(bytes, '\n'),
  }),
  'multipart, 206': (bytes) => ({ status: 206, headers: { 'content-type': MULTIPART }, body: inParts(bytes, '\r\n') }),
  'application/dicom': (bytes) => ({ status: 200, headers: { 'content-type': 'application/dicom' }, body: bytes }),
  'octet-stream': (bytes) => ({ status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bytes }),
  gzip: (bytes) => ({
    status: 200,
    headers: { 'content-type': MULTIPART, 'content-encoding': 'gzip' },
    body: gzipSync(inParts(bytes, '\r\n')),
  }),
};

/** Ways to send rows by QIDO-RS. */
export const SEARCHES = {
  json: (text) => ({ status: 200, headers: {}, body: Buffer.from(text) }),
  'json, 206, byte order mark': (text) => ({ status: 206, headers: {}, body: Buffer.from(`\uFEFF${text}`) }),
  ...Object.fromEntries(
    Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }).map(([coding, pack]) => [
      coding,
      (text) => ({ status: 200, headers: { 'content-encoding': coding }, body: pack(text) }),
    ]),
  ),
  'bare deflate': (text) => ({ status: 200, headers: { 'content-encoding': 'deflate' }, body: deflateRawSync(text) }),
};

const ui = (...values) => ({ vr: 'UI', Value: values });

/** Rows of a study of `count` films, with padding and a joined value. */
export function rowsOf(study, count) {
  return JSON.stringify(
    Array.from({ length: count }, (_, n) => ({
      '00080016': ui('1.2.840.10008.5.1.4.1.1.1\0'),
      '00080018': ui(`${study}.1.${n + 1}`),
      '00080060': { vr: 'CS', Value: ['CR '] },
      '00080061': { vr: 'CS', Value: ['CR\\SR'] },
      '0020000D': ui(study),
      '0020000E': ui(`${study}.1`),
      '00201206': { vr: 'IS', Value: [1] },
      '00201208': { vr: 'IS', Value: [String(count)] },
      '00201209': { vr: 'IS', Value: [count] },
    })),
  );
}

/** A server whose every answer is `says.answer`. */
export async function openServer() {
  const says = { answer: { status: 200, headers: {}, body: Buffer.from('[]') } };
  const server = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(says.answer.status, says.answer.headers).end(says.answer.body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/dicom-web`,
    says,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
