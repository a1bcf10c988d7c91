import type { MessagePort } from 'node:worker_threads';
import type { Log, LogFields } from '../base/log';
import { failureOf, type ThreadFailure } from '../base/thread-failure';
import { type FilmTask, type FilmWork, workOnFilm } from './film-work';
import type { FilmMeasures } from './measures';
import type { Pipeline } from './pipeline';
import type { FilmObserver, TimedStage } from './stage';
import { transferable } from './transferable';

/** Message to the thread: a film (`id` is repeated in the replies), or the request to end. */
export type Request = { readonly id: number; readonly task: FilmTask } | 'end';

/**
 * Messages of the thread: `ready`, or `unusable` and the thread ends; then observations of each film, and `done` or
 * `failed`.
 */
export type Reply<Description> =
  | { readonly kind: 'ready'; readonly description: Description }
  | { readonly kind: 'unusable'; readonly failure: ThreadFailure }
  | { readonly kind: 'warned'; readonly fields: LogFields; readonly text: string }
  | { readonly kind: 'stage'; readonly id: number; readonly stage: TimedStage; readonly seconds: number }
  | { readonly kind: 'measured'; readonly id: number; readonly measures: FilmMeasures }
  | { readonly kind: 'done'; readonly id: number; readonly work: FilmWork }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: ThreadFailure };

/** Analyses the films that arrive at the port, with the pipeline that `open` resolves to. */
export async function serveFilms(
  port: MessagePort,
  open: (log: Pick<Log, 'warn'>) => Promise<{ pipeline: Pipeline; description: unknown }>,
): Promise<void> {
  const send = (reply: Reply<unknown>, given: readonly ArrayBufferView[] = []) =>
    port.postMessage(reply, transferable(given));
  try {
    const { pipeline, description } = await open({ warn: (fields, text) => send({ kind: 'warned', fields, text }) });
    port.on('message', (request: Request) => {
      // In a thread this ends the thread alone. It can't happen during a network's run, as messages are read between
      // runs.
      if (request === 'end') process.exit(0);
      const { id, task } = request;
      const observer: FilmObserver = {
        stage: (stage, seconds) => send({ kind: 'stage', id, stage, seconds }),
        film: () => {},
        measured: (measures) => send({ kind: 'measured', id, measures }),
      };
      workOnFilm(task, { ...pipeline, observer }).then(
        (work) =>
          send(
            { kind: 'done', id, work },
            work.objects.map(({ bytes }) => bytes),
          ),
        (error: unknown) => send({ kind: 'failed', id, failure: failureOf(error) }),
      );
    });
    send({ kind: 'ready', description });
  } catch (error) {
    send({ kind: 'unusable', failure: failureOf(error) });
  }
}
