/**
 * npm run bench [-- --films DIR] [--json]: on the same films in one run, seconds per film of
 *   models    the three networks alone (sum of the three sessions)
 *   pipeline  file -> decode -> models -> explain -> encode -> result files, as `hilum analyze` does
 *   service   study event on RabbitMQ -> fetched from Orthanc -> analysed -> stored and verified in Orthanc -> result
 *             event
 * and their ratios. Only films that are analysed to the end count; what was refused is told.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ensure } from './install.mjs';
import { ROOT, isMain, runMain, say } from './lib/shell.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));
const ROUNDS = 3;

async function main() {
  const { values } = parseArgs({ options: { films: { type: 'string' }, json: { type: 'boolean', default: false } } });
  await ensure({ servers: true });
  const { openLine } = dist('app/line.js');
  const { configSchema } = dist('config/config.js');
  const line = await openLine(configSchema.shape.models.parse({}), configSchema.shape.results.parse({}));
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hilum-bench-'));
  try {
    const films = await chooseFilms(values.films, line);
    const models = await timeModels(films, line);
    const pipeline = await timePipeline(films, line, dir);
    const service = await timeService(films, dir);
    tell(
      {
        films: films.length,
        rounds: ROUNDS,
        cores: os.cpus().length,
        modelsSeconds: models,
        pipelineSeconds: pipeline,
        serviceSeconds: service,
        pipelineToModels: pipeline / models,
        serviceToModels: service / models,
        serviceToPipeline: service / pipeline,
      },
      values.json,
    );
    return 0;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Films that are analysed to the end: the user's, the real ones at hand, else drawn ones. */
async function chooseFilms(folder, line) {
  const real = path.join(process.env.HILUM_DATA_DIR ?? path.join(ROOT, '../shared/data'), 'dicom');
  const from = folder ?? (fs.existsSync(real) ? real : undefined);
  const candidates =
    from === undefined
      ? drawnFilms()
      : fs
          .readdirSync(from)
          .sort()
          .filter((name) => fs.statSync(path.join(from, name)).isFile())
          .map((name) => fs.readFileSync(path.join(from, name)));
  const { analyseFilm } = dist('pipeline/pipeline.js');
  const films = new Map();
  for (const bytes of candidates) {
    const outcome = await analyseFilm(bytes, line);
    if (outcome.outcome === 'analysed') films.set(outcome.sopInstanceUid, { bytes, explained: outcome.explained });
  }
  say(
    `${films.size} of ${candidates.length} ${from === undefined ? 'drawn films' : 'files'} ` +
      'are frontal chest films that are analysed to the end',
  );
  if (films.size === 0) throw new Error('no film was analysed to the end: name a folder with --films');
  return [...films.values()];
}

function drawnFilms() {
  const { syntheticDicom } = dist('objects/synthetic-film.js');
  return Array.from({ length: 8 }, (_, i) =>
    syntheticDicom({ seed: i + 1, view: i % 2 ? 'AP' : 'PA', rows: 2000, columns: 1700 }),
  );
}

async function timeModels(films, { models }) {
  const { keepInside } = dist('imaging/plane.js');
  const { region, fill } = models.classifiers[0].model.manifest.input;
  return perFilm(films, async ({ explained: { inferred } }) => {
    const film = inferred.preprocessed.normalised;
    await models.view.predict(film);
    await models.lungs.predict(film);
    await models.classifiers[0].model.predict(region === 'lungs' ? keepInside(film, inferred.lungs.mask, fill) : film);
  });
}

async function timePipeline(films, line, dir) {
  const { analyseFilm } = dist('pipeline/pipeline.js');
  const { encode } = dist('pipeline/encode.js');
  return perFilm(films, async ({ bytes }) => {
    const objects = encode(await analyseFilm(bytes, line), line.identity());
    for (const { sopInstanceUid, bytes: object } of objects)
      fs.writeFileSync(path.join(dir, `${sopInstanceUid}.dcm`), object);
  });
}

/** Seconds per film, the fastest of some rounds: the others tell more of the machine's neighbours than of us. */
async function perFilm(films, work) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (const film of films) await work(film);
    rounds.push((performance.now() - started) / 1000 / films.length);
  }
  return Math.min(...rounds);
}

/**
 * Films are stored first; the clock runs from the first study event to the last result event. One round: a second one
 * would find all done.
 */
async function timeService(films, dir) {
  const { startRabbit, startOrthanc } = await import('./servers.mjs');
  const { createApp } = dist('app/app.js');
  const { parseConfig } = dist('config/config.js');
  const { createLog } = dist('base/log.js');
  const rabbit = await startRabbit({ dir: path.join(dir, 'rabbitmq') });
  const orthanc = await startOrthanc({ dir: path.join(dir, 'orthanc') });
  const app = await createApp(
    parseConfig({ archive: { url: orthanc.dicomWebUrl }, broker: { url: rabbit.amqpUrl }, http: { port: 0 } }),
    createLog('error'),
  );
  try {
    await app.start();
    const studies = new Set();
    for (const { bytes } of films) studies.add(await storeFilm(orthanc.url, bytes));
    return (await timeStudies(rabbit.amqpUrl, studies)) / films.length;
  } finally {
    await app.stop();
    await orthanc.stop();
    await rabbit.stop();
  }
}

async function storeFilm(url, bytes) {
  const sent = await (await fetch(`${url}/instances`, { method: 'POST', body: bytes })).json();
  return (await (await fetch(`${url}/studies/${sent.ParentStudy}`)).json()).MainDicomTags.StudyInstanceUID;
}

async function timeStudies(amqpUrl, studies) {
  const connection = await require('amqplib').connect(amqpUrl);
  try {
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'hilum.result', '#');
    const waiting = new Set(studies);
    const started = performance.now();
    const finished = new Promise((resolve) => {
      void channel.consume(
        queue,
        (message) => {
          waiting.delete(JSON.parse(message.content.toString()).studyInstanceUid);
          if (waiting.size === 0) resolve((performance.now() - started) / 1000);
        },
        { noAck: true },
      );
    });
    for (const study of studies)
      channel.publish(
        'hilum.study',
        'study.stable',
        Buffer.from(
          JSON.stringify({
            schemaVersion: 1,
            type: 'study-stable',
            studyInstanceUid: study,
            source: { system: 'bench' },
            occurredAt: new Date().toISOString(),
          }),
        ),
      );
    return await finished;
  } finally {
    await connection.close();
  }
}

function tell(result, json) {
  if (json) return void process.stdout.write(`${JSON.stringify(result)}\n`);
  const seconds = (value) => `${value.toFixed(3)} s per film`;
  process.stdout.write(
    [
      `${result.films} films, ${result.cores} cores, fastest of ${result.rounds} rounds for models and pipeline, ` +
        'one round for the service',
      `models    ${seconds(result.modelsSeconds)}`,
      `pipeline  ${seconds(result.pipelineSeconds)}   ${result.pipelineToModels.toFixed(2)} times the models`,
      `service   ${seconds(result.serviceSeconds)}   ${result.serviceToModels.toFixed(2)} times the models, ` +
        `${result.serviceToPipeline.toFixed(2)} times the pipeline`,
      '',
    ].join('\n'),
  );
}

if (isMain(import.meta.url)) await runMain(main);
