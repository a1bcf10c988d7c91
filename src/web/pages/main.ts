import type { LiveEvent, Session } from '../api/api-types.js';
import { ApiError, get } from './api.js';
import { DetailPage } from './detail.js';
import { byId, h } from './dom.js';
import { startHelp } from './help.js';
import { startKeys } from './keys.js';
import { languageChoice, t } from './language.js';
import { ReadingList } from './list.js';
import { listen } from './live.js';
import { leaveOpen } from './open-elsewhere.js';
import { OperatorsPage } from './operators.js';
import { startSavedViews } from './saved-views.js';
import { setTitle, setUnreadUrgent, Notifier } from './notifications.js';
import { useTimeZone } from './words.js';
import { leaveStudy, updateWork } from './work-state.js';

type Place =
  { readonly page: 'list' } | { readonly page: 'study'; readonly uid: string } | { readonly page: 'operators' };

function placeOf(path: string): Place {
  const study = /^\/study\/([0-9.]{1,64})$/.exec(path);
  if (study !== null) return { page: 'study', uid: study[1]! };
  return { page: path === '/operators' ? 'operators' : 'list' };
}

const pathOf = (place: Place) =>
  place.page === 'study' ? `/study/${place.uid}` : place.page === 'operators' ? '/operators' : '/';

/** The list's filters stay in the address of each page, so that the way back keeps them. */
const addressFor = (place: Place) => pathOf(place) + location.search + location.hash;

function tellProblem(text: string | null): void {
  const element = byId('problem');
  element.hidden = text === null;
  element.textContent = text ?? '';
}

class Pages {
  private place: Place = { page: 'list' };
  readonly list: ReadingList;
  readonly detail: DetailPage;
  private readonly notifier: Notifier;
  private readonly operators = new OperatorsPage();

  constructor(private readonly session: Session) {
    const open = (uid: string) => this.go({ page: 'study', uid });
    this.list = new ReadingList(session, open, tellProblem, ({ unreadUrgent }) => {
      if (session.maySeePatients) setUnreadUrgent(unreadUrgent);
    });
    this.notifier = new Notifier(session, open, () => this.detail.shown);
    this.detail = new DetailPage(
      () => this.back(),
      (by) => void this.step(by),
    );
    window.addEventListener('popstate', () => {
      this.show(placeOf(location.pathname));
      if (session.mayReadStudies) this.list.follow();
    });
    // Not by the address, as its fragment is the search.
    document.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      byId('main').focus();
    });
    for (const [id, place] of [
      ['to-list', { page: 'list' }],
      ['to-operators', { page: 'operators' }],
    ] as const) {
      byId(id).addEventListener('click', (event) => {
        if ((event as MouseEvent).ctrlKey || (event as MouseEvent).metaKey) return;
        event.preventDefault();
        this.go(place);
      });
    }
  }

  go(place: Place): void {
    if (pathOf(place) !== location.pathname) history.pushState(null, '', addressFor(place));
    this.show(place);
  }

  back(): void {
    const from = this.detail.shown;
    this.go({ page: 'list' });
    if (from !== null) this.list.grid.select(from, true);
  }

  async step(by: 1 | -1): Promise<void> {
    const from = this.detail.shown;
    const next = from === null ? null : await this.list.neighbour(from, by);
    if (next === null || this.detail.shown !== from) return;
    this.list.grid.select(next, false);
    this.go({ page: 'study', uid: next });
  }

  get isList(): boolean {
    return this.place.page === 'list';
  }

  show(place: Place): void {
    this.place = place;
    byId('list-page').hidden = place.page !== 'list';
    byId('detail-page').hidden = place.page !== 'study';
    byId('operators-page').hidden = place.page !== 'operators';
    for (const [id, page] of [
      ['to-list', 'list'],
      ['to-operators', 'operators'],
    ] as const) {
      if (place.page === page) byId(id).setAttribute('aria-current', 'page');
      else byId(id).removeAttribute('aria-current');
    }
    if (place.page !== 'list') this.list.grid.rest();
    if (place.page === 'study') void this.detail.show(place.uid);
    else {
      this.detail.hide();
      leaveStudy();
      leaveOpen();
    }
    if (place.page === 'operators') this.operators.show();
    else this.operators.hide();
    setTitle(t(`page.title.${place.page === 'operators' ? 'operation' : place.page}`));
  }

  take(events: readonly LiveEvent[]): void {
    this.list.take(events);
    this.notifier.see(events.flatMap((event) => (event.kind === 'study' ? [event.row] : [])));
    for (const event of events)
      if (event.kind === 'study' && !updateWork(event.row)) this.detail.refresh(event.row.studyInstanceUid);
  }

  async start(): Promise<void> {
    byId('to-operators').hidden = !this.session.mayOperate;
    drawUser(this.session);
    this.show(placeOf(location.pathname));
    if (!this.session.mayReadStudies) return;
    startSavedViews(this.session, () => this.list.follow());
    await this.list.reload(true);
    listen(
      this.list.change,
      (events) => this.take(events),
      async () => {
        await this.list.reload(false);
        this.notifier.see(this.list.urgentRows);
        return this.list.change;
      },
    );
  }
}

function drawUser({ everyoneIsLocal, user }: Session): void {
  byId('language-place').append(languageChoice());
  if (everyoneIsLocal) return void (byId('user').textContent = t('page.local'));
  byId('user').append(h('a', { href: '/account' }, user));
  byId('sign-out-place').append(h('form', { method: 'post', action: '/sign-out' }, h('button', {}, t('signIn.out'))));
}

async function start(): Promise<void> {
  try {
    const session = await get<Session>('/session');
    byId('time-zone').textContent = t('page.times', { zone: useTimeZone(session.timeZone) });
    const pages = new Pages(session);
    startKeys(pages, startHelp());
    await pages.start();
  } catch (error) {
    tellProblem(error instanceof ApiError ? t('page.problem', { why: error.message }) : String(error));
  }
}

void start();
