import { boundaryOf, MultipartParser, writeMultipart } from '../../../src/archive/multipart';
import { readPart10 } from '../../../src/dicom/read';
import type { Answer, Exchange, Match } from './fault-proxy';

/** What befalls one request. When it throws, the client sees a lost connection. */
export type Fault = (exchange: Exchange) => Promise<void>;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Handed on after `ms` milliseconds. */
export const delayed =
  (ms: number): Fault =>
  async ({ forward, reply }) => {
    await sleep(ms);
    reply(await forward());
  };

/** Taken, not handed on, never answered. */
export const hanging: Fault = async () => {};

/** Handed on and done by the archive; the answer never comes. */
export const hangingAfter: Fault = async ({ forward }) => void (await forward());

/** The answer's head and half of its body, then silence. */
export const stalling: Fault = async ({ forward, response }) => {
  await sendHalf(response, await forward());
};

/** The answer's head, then its body byte by byte, one each `ms` milliseconds. */
export const dripping =
  (ms: number): Fault =>
  async ({ forward, response }) => {
    const { status, headers, body } = await forward();
    response.writeHead(status, { ...headers, 'content-length': body.length });
    for (let at = 0; at < body.length && !response.destroyed; at++) {
      response.write(body.subarray(at, at + 1));
      await sleep(ms);
    }
    response.end();
  };

/** Answered without asking the archive. */
export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Fault =>
  async ({ reply }) =>
    reply({ status, headers, body: Buffer.from(body) });

/** The connection is lost before the archive hears of it. */
export const resetting: Fault = async ({ cut }) => cut();

/** Handed on and done by the archive; the connection is lost before the answer. */
export const droppingAnswer: Fault = async ({ forward, cut }) => {
  await forward();
  cut();
};

/** Half of the answer's body, then the connection is lost. */
export const truncating: Fault = async ({ forward, response, cut }) => {
  await sendHalf(response, await forward());
  cut();
};

/** Runs `act` first, then hands the request on. */
export const after =
  (act: () => Promise<void>): Fault =>
  async ({ forward, reply }) => {
    await act();
    reply(await forward());
  };

/** The archive does it; `act` runs; then the answer goes out. */
export const beforeAnswer =
  (act: () => Promise<void>): Fault =>
  async ({ forward, reply }) => {
    const answer = await forward();
    await act();
    reply(answer);
  };

/** Half of the request reaches the archive, then `act` runs, and both connections are lost. */
export const halfSent =
  (act: () => Promise<void>): Fault =>
  async ({ forwardHalf, cut }) => {
    const half = await forwardHalf();
    await act();
    half.end();
    cut();
  };

/**
 * A store that takes the first `count` objects only, and says so with `status` and a FailedSOPSequence (PS3.18 section
 * 10.5.3: 202 or 409; Orthanc before plug-in 1.10 and others say 200).
 */
export const storingOnly =
  (count: number, status: number, reason = 0xa700): Fault =>
  async ({ request, forward, reply }) => {
    const contentType = String(request.headers['content-type']);
    const parser = new MultipartParser(boundaryOf(contentType), { maxBodyBytes: Infinity });
    parser.push(request.body);
    const objects = parser.end().map(({ body }) => body);
    const kept = objects.slice(0, count).map((body) => ({ contentType: 'application/dicom', body }));
    if (kept.length > 0) await forward(writeMultipart(kept, boundaryOf(contentType)));
    const items = objects
      .map((body) => readPart10(body))
      .map(({ sopClassUid, sopInstanceUid }) => ({
        '00081150': { vr: 'UI', Value: [sopClassUid] },
        '00081155': { vr: 'UI', Value: [sopInstanceUid] },
      }));
    const failed = items.slice(count).map((item) => ({ ...item, '00081197': { vr: 'US', Value: [reason] } }));
    const answer = {
      ...(count > 0 ? { '00081199': { vr: 'SQ', Value: items.slice(0, count) } } : {}),
      '00081198': { vr: 'SQ', Value: failed },
    };
    reply({ status, headers: { 'content-type': 'application/dicom+json' }, body: Buffer.from(JSON.stringify(answer)) });
  };

async function sendHalf(response: Exchange['response'], { status, headers, body }: Answer): Promise<void> {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  await new Promise<void>((resolve) => response.write(body.subarray(0, body.length / 2), () => resolve()));
}

/** The worker's search for the instances of a study, before its work and to confirm it. */
export const finds =
  (study: string): Match =>
  ({ path }) =>
    path.startsWith(`/dicom-web/studies/${study}/instances?`);
export const retrieves =
  (study: string): Match =>
  ({ kind, path }) =>
    kind === 'retrieve' && path.includes(`/studies/${study}/`);
export const stores =
  (study: string): Match =>
  ({ kind, path }) =>
    kind === 'store' && path.endsWith(`/studies/${study}`);
/** The `nth` of them, from 1. */
export const nth =
  (wanted: number, match: Match): Match =>
  (request, before) =>
    match(request, before) &&
    before.filter((earlier, index) => match(earlier, before.slice(0, index))).length === wanted - 1;
/** Of `match`, those that come after `count` requests of `first`. */
export const following =
  (count: number, first: Match, match: Match): Match =>
  (request, before) =>
    match(request, before) && before.filter((earlier, index) => first(earlier, before.slice(0, index))).length >= count;
