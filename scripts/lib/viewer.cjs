/**
 * The OHIF viewer beside an archive: its built files and a proxy to DICOMweb on one origin, so that no browser rule
 * stands between them. CommonJS, so that jest can require it; Node built-ins only.
 */
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { cachedFolder, packed, run } = require('./cache.cjs');

/**
 * Pinned: later versions drew reports wrongly when they were tried. `npm install` of it fails on a missing peer, its
 * packed files are complete.
 */
const VERSION = '3.12.10';
const INTEGRITY = 'sha512-0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA==';

/** OHIF's configuration, shared with docker/ohif.Dockerfile: one DICOMweb data source on its own origin. */
const APP_CONFIG = path.resolve(__dirname, '../../docker/ohif/app-config.js');
const appConfig = (cpu) =>
  fs.readFileSync(APP_CONFIG, 'utf8').replace('useCPURendering: false', `useCPURendering: ${cpu}`);

const MIME = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Brings the viewer's files once into the cache folder.
 * @returns {Promise<string>} the folder with index.html
 * @throws Error when npm can't bring them, or brings something else
 */
async function ensureViewer() {
  const folder = await cachedFolder(`ohif-${VERSION}`, 'dist/index.html', async (dir) => {
    const file = await pack(dir);
    await run('tar', ['-xzf', file, '--strip-components=1', '--exclude=*.map', 'package/dist'], dir);
    fs.rmSync(file);
  });
  return path.join(folder, 'dist');
}

async function pack(work) {
  const file = await packed(`@ohif/app@${VERSION}`, work);
  const digest = `sha512-${crypto.createHash('sha512').update(fs.readFileSync(file)).digest('base64')}`;
  if (digest !== INTEGRITY)
    throw new Error(`the package of @ohif/app ${VERSION} is not the one that was tried (${digest})`);
  return file;
}

/** See viewer.d.cts. */
async function startViewer({ dicomWebUrl, dist: given, port = 0, host = '127.0.0.1', cpu = false }) {
  const dist = given ?? (await ensureViewer());
  const upstream = new URL(dicomWebUrl);
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://viewer');
    if (url.pathname.startsWith('/dicom-web')) return proxy(upstream, url, request, response);
    if (url.pathname === '/app-config.js') return send(response, 200, MIME['.js'], appConfig(cpu));
    return sendFile(dist, url.pathname, response);
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const url = `http://${host}:${server.address().port}`;
  return {
    url,
    studyUrl: (...studies) => `${url}/viewer?StudyInstanceUIDs=${studies.join(',')}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The Host header goes through: from it Orthanc makes the URLs of bulk data, which must be on this origin. */
function proxy(upstream, url, request, response) {
  const target = upstream.pathname.replace(/\/$/, '') + url.pathname.slice('/dicom-web'.length) + url.search;
  const out = http.request(
    { host: upstream.hostname, port: upstream.port, method: request.method, path: target, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  out.on('error', () =>
    response.headersSent ? response.destroy() : send(response, 502, 'text/plain', 'the archive does not answer'),
  );
  request.pipe(out);
}

/** A file of the viewer; any other path is a page of the viewer's own, which index.html shows. */
function sendFile(dist, pathname, response) {
  const wanted = path.join(dist, path.normalize(decodeURIComponent(pathname)));
  const isFile = wanted.startsWith(dist + path.sep) && fs.statSync(wanted, { throwIfNoEntry: false })?.isFile();
  if (!isFile && path.extname(pathname) !== '') return send(response, 404, 'text/plain', 'not found');
  const file = isFile ? wanted : path.join(dist, 'index.html');
  response.writeHead(200, {
    'content-type': MIME[path.extname(file)] ?? 'application/octet-stream',
    'cache-control': 'no-cache',
  });
  return fs.createReadStream(file).pipe(response);
}

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' });
  response.end(body);
}

module.exports = { ensureViewer, startViewer, VIEWER_VERSION: VERSION };
