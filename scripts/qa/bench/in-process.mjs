/**
 * node scripts/qa/bench/in-process.mjs FILE...: Hilum's line on these files in one process, without archive and broker.
 * Prints the CPU time of each file by stage, threads included, as JSON (seconds), once the code is compiled: all files
 * are analysed WARM_UPS times before, and not measured.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from '../../lib/shell.mjs';

const require = createRequire(import.meta.url);
const dist = (name) => require(path.join(ROOT, 'dist', name));
const { pipelineSettings, openPipeline } = dist('app/pipeline.js');
const { open, contentOf } = dist('pipeline/decode.js');
const { analysePixels } = dist('pipeline/pipeline.js');
const { encode } = dist('pipeline/encode.js');
const { drawHeatMap } = dist('pipeline/draw.js');

const WARM_UPS = 3;

/** Stage of the line: what it is called here. */
const NAMES = { decode: 'decode', infer: 'networks', explain: 'draw' };

/** Adds up the CPU time since the last look under a name. */
function stopwatch() {
  const seconds = {};
  let last = process.cpuUsage();
  return {
    seconds,
    lap(name) {
      const { user, system } = process.cpuUsage(last);
      last = process.cpuUsage();
      seconds[name] = (seconds[name] ?? 0) + (user + system) / 1e6;
    },
  };
}

async function measure(bytes, line) {
  const { seconds, lap } = stopwatch();
  const source = await open(bytes, line.reader);
  lap('read');
  const observer = { stage: (stage) => lap(NAMES[stage] ?? stage), film: () => {} };
  const outcome = await analysePixels(source, { ...line, observer });
  if (outcome.outcome !== 'analysed') throw new Error(`not analysed: ${outcome.refusal.text}`);
  const { explained } = outcome;
  const content = await contentOf(source, line.reader, explained.inferred.preprocessed.decoded.image.digest);
  lap('read');
  encode({ ...outcome, content }, line.identity());
  lap('objects');
  // The picture is drawn while the objects are made: drawn once more, to tell the two apart.
  drawHeatMap(explained, line.identity());
  const before = seconds.draw;
  lap('draw');
  seconds.objects -= seconds.draw - before;
  return seconds;
}

dist('base/heap.js').collectGarbageLessOften();
const line = await openPipeline(pipelineSettings());
const files = process.argv.slice(2);
for (let i = 0; i < WARM_UPS; i++) for (const file of files) await measure(fs.readFileSync(file), line);
const rows = [];
for (const file of files) rows.push(await measure(fs.readFileSync(file), line));
process.stdout.write(`${JSON.stringify(rows)}\n`, () => process.exit(0));
