import { type Request, Router } from 'express';
import { join } from 'node:path';
import { z } from 'zod';
import type { TurnaroundCache } from '../../worklist/turnaround-cache';
import { TURNAROUND_DAYS, type TurnaroundDays } from '../../worklist/turnaround-cache';
import {
  TURNAROUND_STEPS,
  type Turnaround as Figures,
  type TurnaroundGroup,
  type TurnaroundStep,
} from '../../worklist/turnaround';
import { needs, signedIn } from '../access/user';
import { BadRequest } from './answers';
import type { DriftMeasure, Installation, Turnaround } from './contract';
import type { ModelParts } from './model-routes';
import type { InTurn } from './query-turns';
import { checked } from './study-routes';

export interface OperationParts {
  readonly turnaround: Pick<TurnaroundCache, 'get' | 'timeZone'>;
  readonly inTurn: InTurn;
  readonly installed: Pick<ModelParts, 'models'>;
  readonly version: string;
  /** Drift of the last days' films; null where this process counts none. */
  readonly drift: () => readonly DriftMeasure[] | null;
  /** Folder of the documentation. */
  readonly docsDir: string;
}

/** Pages of the documentation for operators. */
const DOCS = [
  'operations',
  'state',
  'list',
  'reading',
  'errors',
  'events',
  'deliveries',
  'configuration',
  'security',
] as const;

const turnaroundQuery = z.object({
  days: z
    .enum(TURNAROUND_DAYS.map(String) as [string, ...string[]])
    .default('7')
    .transform((days) => Number(days) as TurnaroundDays),
});

/** Turnaround as JSON and CSV, and the installation: no study and no user is named. */
export function operationRoutes({ turnaround, inTurn, installed, version, drift, docsDir }: OperationParts): Router {
  const router = Router();
  const look = async (request: Request) => {
    const { days } = checked(turnaroundQuery, request.query);
    return { days, figures: await inTurn(request, () => turnaround.get(days)) };
  };
  router.get('/operators/turnaround', needs('operator'), async (request, response) => {
    const { days, figures } = await look(request);
    response.json(turnaroundView(figures, days, turnaround.timeZone));
  });
  router.get('/operators/turnaround.csv', needs('operator'), async (request, response) => {
    const { days, figures } = await look(request);
    const name = `hilum-turnaround-${new Date(figures.to).toISOString().slice(0, 10)}-${days}-days.csv`;
    response
      .set({ 'Content-Type': 'text/csv; charset=utf-8', 'Content-Disposition': `attachment; filename="${name}"` })
      .send(turnaroundCsv(figures));
  });
  router.get('/operators/installation', needs('operator'), (_request, response) => {
    response.json({
      version,
      models: installed.models.map(({ id, version: of }) => ({ id, version: of })),
      drift: drift(),
      docs: DOCS.map((name) => ({ name, href: `/api/v1/docs/${name}` })),
    } satisfies Installation);
  });
  router.get('/docs/:name', signedIn, (request, response, next) => {
    const name = DOCS.find((known) => known === request.params['name']);
    if (name === undefined) throw new BadRequest(404, 'there is no such page of the documentation');
    response.set({ 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
    response.sendFile(join(docsDir, `${name}.md`), { cacheControl: false }, (error) => {
      if (error as unknown) next(new BadRequest(404, 'the documentation is not installed'));
    });
  });
  return router;
}

const seconds = (milliseconds: number | null) => (milliseconds === null ? null : milliseconds / 1_000);

function turnaroundView(
  { from, to, isCut, withoutArrival, groups }: Figures,
  days: TurnaroundDays,
  timeZone: string,
): Turnaround {
  return {
    days,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    timeZone,
    cut: isCut,
    withoutArrival,
    groups: groups.map(({ priority, hour, arrived, steps }) => ({
      priority,
      hour,
      arrived,
      steps: TURNAROUND_STEPS.map((step) => ({ step, ...stepView({ arrived, steps }, step) })),
    })),
  };
}

function stepView({ arrived, steps }: Pick<TurnaroundGroup, 'arrived' | 'steps'>, step: TurnaroundStep) {
  const { studies, medianMs, p90Ms, notYet } = steps[step];
  return {
    studies,
    medianSeconds: seconds(medianMs),
    p90Seconds: seconds(p90Ms),
    notYet,
    leftOut: arrived - studies - notYet,
  };
}

/** Columns of the export; an empty hour stands for all hours. */
const COLUMNS = [
  'priority',
  'hour',
  'step',
  'studies',
  'median_seconds',
  'p90_seconds',
  'not_yet',
  'left_out',
  'arrived',
] as const;

function turnaroundCsv({ groups }: Figures): string {
  const rows = groups.flatMap((group) =>
    TURNAROUND_STEPS.map((step) => {
      const { studies, medianSeconds, p90Seconds, notYet, leftOut } = stepView(group, step);
      const { priority, hour, arrived } = group;
      return [priority, hour, step, studies, medianSeconds, p90Seconds, notYet, leftOut, arrived];
    }),
  );
  return [COLUMNS, ...rows].map((cells) => `${cells.map((cell) => cell ?? '').join(',')}\n`).join('');
}
