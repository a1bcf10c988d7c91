/**
 * A proxy that leaves nothing of Orthanc but a DICOMweb server: QIDO-RS, WADO-RS and STOW-RS under /dicom-web/studies,
 * /series and /instances.
 */
import http from 'node:http';
import processes from '../../lib/processes.cjs';

const ALLOWED = [
  { method: 'GET', path: /^\/dicom-web\/(studies|series|instances)([/?]|$)/ },
  { method: 'POST', path: /^\/dicom-web\/studies(\/[\d.]+)?$/ },
];

export async function startDicomWebOnly(target) {
  const port = await processes.freePort();
  const counts = { passed: 0, refused: 0 };
  const server = http.createServer((request, response) => {
    const isAllowed = ALLOWED.some(({ method, path }) => request.method === method && path.test(request.url ?? ''));
    counts[isAllowed ? 'passed' : 'refused']++;
    if (isAllowed) return pass(request, response, new URL(target));
    request.resume();
    response.writeHead(403).end();
  });
  await new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined)),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** When Orthanc breaks off, so do we: to the worker it looks as if the archive itself had gone. */
function pass(request, response, { hostname, port }) {
  // The Host header stays the worker's own: addresses in answers then lead through this proxy.
  const onward = http.request(
    { hostname, port, method: request.method, path: request.url, headers: request.headers, agent: false },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      answer.once('error', () => response.destroy());
      answer.once('aborted', () => response.destroy());
    },
  );
  onward.once('error', () => response.destroy());
  request.once('aborted', () => onward.destroy());
  request.pipe(onward);
}
