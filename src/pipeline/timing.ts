import { inChildSpan } from '../base/trace';
import type { FilmObserver, TimedStage } from './stage';

export type Timed = <T>(stage: TimedStage, work: () => T | Promise<T>) => Promise<T>;

/** Runs work as a span and reports its duration to the observer, also where it failed: time-outs matter most. */
export function timing(observer: FilmObserver | undefined): Timed {
  return async (stage, work) => {
    const started = process.hrtime.bigint();
    try {
      return await inChildSpan({ name: stage }, async () => work());
    } finally {
      observer?.stage(stage, Number(process.hrtime.bigint() - started) / 1e9);
    }
  };
}
