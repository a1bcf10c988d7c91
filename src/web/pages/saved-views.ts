import type { ListView, SavedView, SavedViews, Session } from '../api/api-types.js';
import { addressOf, filtersOf, filtersOfView, viewOf } from './address.js';
import { get, post, remove } from './api.js';
import { announce, byId, h } from './dom.js';
import { t } from './language.js';

/** Storage of views. Each method resolves to the views after it. */
interface Store {
  list(): Promise<readonly SavedView[]>;
  save(name: string, view: ListView): Promise<readonly SavedView[]>;
  remove(id: string): Promise<readonly SavedView[]>;
}

const OF_ACCOUNT: Store = {
  list: async () => (await get<SavedViews>('/views')).views,
  save: async (name, view) => (await post<SavedViews>('/views', { name, view })).views,
  remove: async (id) => (await remove<SavedViews>(`/views/${id}`)).views,
};

const KEY = 'hilum.views';
const MAX_VIEWS = 30;

/** Without a sign-in there is no account: views are stored in the browser. */
const OF_BROWSER: Store = {
  list: () => Promise.resolve(kept()),
  save: (name, view) => {
    const others = kept().filter((one) => one.name !== name);
    if (others.length >= MAX_VIEWS) return Promise.reject(new Error(t('views.many')));
    return Promise.resolve(keep([...others, { id: name, name, view }]));
  },
  remove: (id) => Promise.resolve(keep(kept().filter((one) => one.id !== id))),
};

function kept(): readonly SavedView[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? (found as SavedView[]).filter((one) => typeof one.view === 'object') : [];
  } catch {
    return [];
  }
}

function keep(views: readonly SavedView[]): readonly SavedView[] {
  const sorted = [...views].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  localStorage.setItem(KEY, JSON.stringify(sorted));
  return sorted;
}

/** Menu of the user's saved views. `changed` is called when one was opened. */
export function startSavedViews(session: Session, changed: () => void): void {
  const store = session.everyoneIsLocal ? OF_BROWSER : OF_ACCOUNT;
  const choice = byId('saved', HTMLDetailsElement);
  const list = h('ul', { class: 'view-list' });
  const name = h('input', { id: 'view-name', maxlength: 40, autocomplete: 'off', spellcheck: false });
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });

  const open = ({ view, name: opened }: SavedView) => {
    history.pushState(null, '', location.pathname + addressOf(filtersOfView(view, session), session));
    leave(choice);
    announce(t('views.opened', { name: opened }));
    changed();
  };
  const draw = (views: readonly SavedView[]) => {
    const rows = views.map((one) =>
      viewRow(one, open, () => void act(() => store.remove(one.id), t('views.removed', { name: one.name }))),
    );
    list.replaceChildren(...(rows.length === 0 ? [h('li', { class: 'faint' }, t('views.none'))] : rows));
  };
  const act = async (asked: () => Promise<readonly SavedView[]>, words: string | null) => {
    try {
      draw(await asked());
      problem.hidden = true;
      if (words !== null) announce(words);
    } catch (error) {
      problem.textContent = `${t('page.notDone', { why: (error as Error).message })}.`;
      problem.hidden = false;
    }
  };
  const save = () => {
    const given = name.value.trim();
    if (given === '') {
      name.focus();
      return;
    }
    name.value = '';
    void act(() => store.save(given, viewOf(filtersOf(location, session), session)), t('views.saved', { name: given }));
  };
  name.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    // Keeps the surrounding filter form from being submitted.
    event.preventDefault();
    save();
  });
  byId('saved-views').append(
    list,
    h('label', { for: 'view-name' }, t('views.saveAs')),
    h(
      'span',
      { class: 'buttons' },
      name,
      h('button', { type: 'button', id: 'save-view', onclick: save }, t('views.save')),
    ),
    problem,
  );
  choice.addEventListener('toggle', () => {
    if (choice.open) void act(() => store.list(), null);
  });
  startChoices();
}

function viewRow(one: SavedView, open: (view: SavedView) => void, drop: () => void): HTMLElement {
  return h(
    'li',
    {},
    h('button', { type: 'button', class: 'view', onclick: () => open(one) }, one.name),
    h('button', { type: 'button', 'aria-label': t('views.remove', { name: one.name }), onclick: drop }, '×'),
  );
}

/** One of the small menus is open at a time; Escape, and a click beside it, close it. */
function startChoices(): void {
  const choices = document.querySelectorAll<HTMLDetailsElement>('details.choice');
  document.addEventListener('click', (event) => {
    for (const choice of choices) if (!event.composedPath().includes(choice)) choice.open = false;
  });
  for (const choice of choices)
    choice.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !choice.open) return;
      event.stopPropagation();
      leave(choice);
    });
}

function leave(choice: HTMLDetailsElement): void {
  const held = choice.contains(document.activeElement);
  choice.open = false;
  if (held) choice.querySelector('summary')?.focus();
}
