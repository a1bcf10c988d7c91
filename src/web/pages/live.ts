import type { LiveEvent } from '../api/api-types.js';
import { byId } from './dom.js';
import { t } from './language.js';

/** Changes within this time are shown together (milliseconds). */
const GATHER = 150;

/**
 * Listens to live updates. The browser reconnects by itself with the last event's id; where that is too old, the
 * service says so and `reload` is called.
 */
export function listen(
  since: number,
  take: (events: readonly LiveEvent[]) => void,
  reload: () => Promise<number>,
): void {
  const source = new EventSource(`/api/v1/live?since=${since}`);
  let gathered: LiveEvent[] = [];
  let timer: number | undefined;
  source.addEventListener('change', (event) => {
    gathered.push(JSON.parse((event as MessageEvent<string>).data) as LiveEvent);
    timer ??= window.setTimeout(() => {
      timer = undefined;
      const events = gathered;
      gathered = [];
      take(events);
    }, GATHER);
  });
  source.addEventListener('reset', () => void reload());
  source.addEventListener('open', () => tell('live', t('page.live')));
  source.addEventListener('error', () => {
    tell('lost', t(source.readyState === EventSource.CLOSED ? 'page.notLive' : 'page.connecting'));
    // A response that is no stream (the service restarts) closes it permanently.
    if (source.readyState === EventSource.CLOSED)
      window.setTimeout(() => void reload().then((change) => listen(change, take, reload)), 5_000);
  });
}

function tell(state: 'live' | 'lost', text: string): void {
  const element = byId('link-state');
  element.dataset['state'] = state;
  if (element.textContent !== text) element.textContent = text;
}
