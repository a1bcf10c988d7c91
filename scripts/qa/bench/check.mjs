/** --check: whether the service has become slow, by CPU times that are taken in turns, so that load does not tell. */
import { say } from '../../lib/shell.mjs';
import { runBlock } from './blocks.mjs';
import { startHilum } from './contenders.mjs';
import { blockFigures, networkFigures, ratiosOf } from './figures.cjs';
import { openSite, warmUp } from './measure.mjs';
import { measureNetworks } from './native.mjs';
import { targetTable } from './table.mjs';
import { checkTargetsOf } from './targets.cjs';

const ROUNDS = 2;
const KIND = 'raw';
const FILMS = 8;

/** @returns {Promise<{result: object, lines: string[], status: number}>} status 1 above the bound */
export async function benchCheck({ films, dir, onStarted }) {
  const site = await openSite(dir, onStarted);
  const service = await startHilum('check', 1, { analysis: { concurrency: 'auto' } }, { ...site, dir, onStarted });
  await site.events.listen(service.name);
  await warmUp(service, films, [KIND], site);
  /** @type {import('./figures.cjs').Block[]} */
  const blocks = [];
  /** @type {import('./figures.cjs').NetworkTime[]} */
  const networks = [];
  for (let round = 1; round <= ROUNDS; round++) {
    say(`round ${round} of ${ROUNDS}`);
    networks.push(...(await measureNetworks()));
    blocks.push(await runBlock(service, films.studies(KIND, FILMS), site));
  }
  const figures = { service: { [KIND]: blockFigures(blocks) }, networks: networkFigures(networks) };
  const measured = { ...figures, ratios: ratiosOf(figures) };
  const targets = checkTargetsOf(measured);
  const status = targets.every(({ isReached }) => isReached) ? 0 : 1;
  return { result: { ...measured, targets }, lines: targetTable(targets), status };
}
