import { inChildSpan } from '../base/trace';
import type { FilmObserver, TimedStage } from './stage';

export type Timed = <T>(stage: TimedStage, work: () => T | Promise<T>) => Promise<T>;

/**
 * Runs work as a step of a trace, where there is one, and tells the observer how long it took, also where it failed: a
 * time-out is the time that matters.
 */
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
