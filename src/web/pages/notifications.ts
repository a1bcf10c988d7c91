import type { Session, StudyRow } from '../api/api-types.js';
import { byId, h } from './dom.js';
import { t } from './language.js';

/** Keys of the browser's local storage, shared by all its pages of the list. */
const NOTIFY = 'hilum.notify';
const SOUND = 'hilum.sound';
const TOLD = 'hilum.told';
/** Largest number of studies remembered as notified. */
const MAX_TOLD = 500;

/** Delay before a page notifies, by how well it is suited (milliseconds): a better one goes first. */
const WAIT = { shown: 0, usual: 300, mute: 1_500 };

const remembered = (key: string) => localStorage.getItem(key) === 'on';
const remember = (key: string, isOn: boolean) => localStorage.setItem(key, isOn ? 'on' : 'off');

/** Title and icon of the page, with the number of unread urgent studies. */
const tab = { title: document.title, unreadUrgent: 0 };

export function setTitle(title: string): void {
  tab.title = title;
  drawTab();
}

export function setUnreadUrgent(count: number): void {
  tab.unreadUrgent = count;
  drawTab();
}

function drawTab(): void {
  const { title, unreadUrgent } = tab;
  const text = unreadUrgent === 0 ? title : `(${unreadUrgent}) ${title}`;
  if (document.title !== text) document.title = text;
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const href = `/ui/${unreadUrgent === 0 ? 'icon' : `icon-${Math.min(unreadUrgent, 10)}`}.svg`;
  if (icon !== null && icon.getAttribute('href') !== href) icon.setAttribute('href', href);
}

/**
 * Notifies the user once, by a desktop notification and a sound of one of the browser's pages, that a study has become
 * urgent. The patient is not named, as others may see the screen, even when it is locked.
 */
export class Notifier {
  private readonly openedAt: number;
  private sound: AudioContext | null = null;

  constructor(
    { now, maySeePatients }: Session,
    private readonly open: (uid: string) => void,
    private readonly shown: () => string | null,
  ) {
    this.openedAt = Date.parse(now);
    if (!maySeePatients) return;
    this.startDialog();
    // Browsers allow sound only after the user has used the page.
    for (const kind of ['pointerdown', 'keydown'])
      window.addEventListener(kind, () => remembered(SOUND) && this.readySound(), { passive: true });
  }

  /** Called with present rows. Only studies that became urgent after the page was opened are notified. */
  see(rows: readonly StudyRow[]): void {
    const fresh = rows.filter(
      ({ priority, urgentSince, read, hidden, patient }) =>
        priority === 'urgent' &&
        patient !== undefined &&
        read === null &&
        !hidden &&
        urgentSince !== null &&
        Date.parse(urgentSince) > this.openedAt,
    );
    if (fresh.length === 0 || (!this.maySound && !mayNotify())) return;
    void this.tell(fresh.map(({ studyInstanceUid }) => studyInstanceUid));
  }

  private async tell(uids: readonly string[]): Promise<void> {
    const isShown = document.visibilityState === 'visible' && uids.includes(this.shown() ?? '');
    const isMute = remembered(SOUND) && !this.maySound;
    const wait = isShown ? WAIT.shown : isMute ? WAIT.mute : WAIT.usual;
    await new Promise((resolve) => window.setTimeout(resolve, wait));
    const mine = await firstToTell(uids);
    // A study that is on the screen needs no notification.
    const news = mine.filter((uid) => !isShown || uid !== this.shown());
    if (news.length === 0) return;
    if (mayNotify()) this.notify(news);
    if (this.maySound) this.play();
  }

  private notify(uids: readonly string[]): void {
    const [first] = uids;
    const words = t('alerts.newUrgent', { count: uids.length });
    const shown = new Notification(words, { body: t('page.title.list'), tag: `hilum-${first}`, icon: '/ui/icon.svg' });
    shown.onclick = () => {
      window.focus();
      if (uids.length === 1 && first !== undefined) this.open(first);
      shown.close();
    };
  }

  private get maySound(): boolean {
    return remembered(SOUND) && this.sound?.state === 'running';
  }

  private readySound(): void {
    this.sound ??= new AudioContext();
    if (this.sound.state === 'suspended') void this.sound.resume();
  }

  /** Two short tones. */
  private play(): void {
    const { sound } = this;
    if (sound === null) return;
    [660, 880].forEach((frequency, i) => {
      const [tone, volume, from] = [sound.createOscillator(), sound.createGain(), sound.currentTime + i * 0.2];
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.15, from + 0.02);
      volume.gain.linearRampToValueAtTime(0, from + 0.18);
      tone.connect(volume).connect(sound.destination);
      tone.start(from);
      tone.stop(from + 0.2);
    });
  }

  private startDialog(): void {
    const dialog = byId('alerts', HTMLDialogElement);
    const button = byId('alerts-button');
    const told = h('p', { id: 'alerts-told', role: 'status', class: 'faint' });
    const draw = () => {
      notify.checked = mayNotify();
      sound.checked = remembered(SOUND);
      told.textContent = notifyWords();
    };
    const notify = h('input', {
      type: 'checkbox',
      id: 'notify',
      onchange: () => void askToNotify(notify.checked).then(draw),
    });
    const sound = h('input', {
      type: 'checkbox',
      id: 'sound',
      onchange: () => {
        remember(SOUND, sound.checked);
        if (!sound.checked) return;
        this.readySound();
        this.play();
      },
    });
    dialog.append(
      h('h2', { id: 'alerts-title' }, t('page.alerts')),
      h('p', {}, t('alerts.text')),
      h('label', {}, notify, t('alerts.notification')),
      h('label', {}, sound, t('alerts.sound')),
      told,
      h('form', { method: 'dialog' }, h('button', {}, t('help.close'))),
    );
    button.hidden = false;
    button.addEventListener('click', () => {
      draw();
      dialog.showModal();
    });
  }
}

const canNotify = () => 'Notification' in window;
const mayNotify = () => remembered(NOTIFY) && canNotify() && Notification.permission === 'granted';

/** Browsers ask for permission only after a click, and may have been told never to. */
async function askToNotify(isWanted: boolean): Promise<void> {
  remember(NOTIFY, isWanted);
  if (isWanted && canNotify() && Notification.permission === 'default') await Notification.requestPermission();
}

function notifyWords(): string {
  if (!canNotify()) return t('alerts.notHere');
  return t(Notification.permission === 'denied' ? 'alerts.denied' : 'alerts.kept');
}

/** Studies that no page of this browser has notified; they count as notified from now on. */
async function firstToTell(uids: readonly string[]): Promise<readonly string[]> {
  const take = () => {
    const told = (localStorage.getItem(TOLD) ?? '').split(' ');
    const fresh = uids.filter((uid) => !told.includes(uid));
    localStorage.setItem(TOLD, [...told, ...fresh].slice(-MAX_TOLD).join(' '));
    return fresh;
  };
  // Without HTTPS there are neither locks nor notifications: at worst two pages play the sound.
  return 'locks' in navigator ? navigator.locks.request(TOLD, take) : take();
}
