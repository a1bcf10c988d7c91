import type { FilmDetail, FilmReport } from '../api/api-types.js';
import { get } from './api.js';
import { h, svg } from './dom.js';
import { t } from './language.js';
import { Viewport } from './viewport.js';
import { viewWords } from './words.js';

/** A film on the page. */
export interface ShownFilm {
  readonly element: HTMLElement;
  /** Null where there is no picture. */
  readonly viewport: Viewport | null;
  /** Resolves when the film is loaded or has failed: then other pictures may be requested. */
  readonly ready: Promise<void>;
  readonly report: Promise<FilmReport | null>;
}

/** The film with the heat map over it: first the film, then overlays and report. */
export function overlay(film: FilmDetail): ShownFilm {
  if (film.picture === null) {
    const element = h('figure', { class: 'overlay' }, noPicture(noPictureWords(film)));
    return { element, viewport: null, ready: Promise.resolve(), report: reportOf(film, Promise.resolve()) };
  }
  const name = t('film.named', { view: viewWords(film.view) || t('film.viewNotStated') });
  const under = h('img', { class: 'film', alt: name, draggable: 'false', fetchpriority: 'high' });
  const viewport = new Viewport(under, name);
  const ready = new Promise<void>((resolve) => {
    under.addEventListener('load', () => resolve());
    under.addEventListener('error', () => {
      viewport.element.replaceChildren(noPicture(t('film.noPicture')));
      resolve();
    });
  });
  under.src = sized(film.picture);
  const report = reportOf(film, ready);
  const controls = h('div', { class: 'controls' }, ...viewControls(viewport));
  const over = h('div', { class: 'controls' });
  if (film.heatMap !== null) over.append(heatControls(film.heatMap, viewport.stage, ready));
  void report.then((found) => found !== null && over.append(...outlineControls(found, viewport.stage)));
  const caption = h('figcaption', { class: 'research small' }, t('research.statement'));
  return {
    element: h('figure', { class: 'overlay' }, viewport.element, over, controls, caption),
    viewport,
    ready,
    report,
  };
}

function reportOf({ report }: FilmDetail, ready: Promise<void>): Promise<FilmReport | null> {
  if (report === null) return Promise.resolve(null);
  return ready.then(() => get<FilmReport>(report.replace('/api/v1', ''))).catch(() => null);
}

function noPictureWords({ noPicture: why }: FilmDetail): string {
  switch (why) {
    case 'blank':
      return t('film.blank');
    case 'undecodable':
      return t('film.undecodable');
    case 'not-in-archive':
      return t('film.notInArchive');
    case null:
      return t('film.forRadiologists');
  }
}

const noPicture = (words: string) => h('p', { class: 'no-picture faint' }, words);

const sized = (path: string) => `${path}${path.includes('?') ? '&' : '?'}size=1024`;

/** Buttons for everything that keys and mouse do. */
function viewControls(viewport: Viewport): HTMLElement[] {
  const button = (words: string, label: string, act: () => void) =>
    h('button', { type: 'button', 'aria-label': `${words}: ${label}`, title: label, onclick: act }, words);
  const slider = (words: string, set: (value: number) => void) => {
    const input = h('input', { type: 'range', min: 25, max: 300, value: 100, step: 5, 'aria-label': words });
    input.addEventListener('input', () => set(Number(input.value)));
    return { input, label: h('label', { class: 'slider tone' }, `${words} `, input) };
  };
  const brightness = slider(t('film.brightness'), (value) => viewport.setTone({ brightness: value }));
  const contrast = slider(t('film.contrast'), (value) => viewport.setTone({ contrast: value }));
  viewport.onTone = (tone) => {
    brightness.input.value = String(tone.brightness);
    contrast.input.value = String(tone.contrast);
  };
  return [
    h(
      'span',
      { class: 'buttons', role: 'group', 'aria-label': t('film.zoom') },
      button('-', t('film.zoomOut'), () => viewport.zoomBy(-1)),
      button('+', t('film.zoomIn'), () => viewport.zoomBy(1)),
      button(t('film.fit'), t('film.fitLabel'), () => viewport.fit()),
      button('1:1', t('film.oneToOne'), () => viewport.oneToOne()),
    ),
    brightness.label,
    contrast.label,
    button(t('film.reset'), t('film.resetLabel'), () => viewport.resetTone()),
  ];
}

function heatControls(path: string, stage: HTMLElement, ready: Promise<void>): HTMLElement {
  const heat = h('img', { class: 'heat', alt: t('film.heatMapAlt'), draggable: 'false' });
  const out = h('output', {}, '50 %');
  const label = t('film.heatMapOpacity');
  const slider = h('input', {
    class: 'opacity',
    type: 'range',
    min: 0,
    max: 100,
    value: 50,
    step: 1,
    'aria-label': label,
  });
  const set = () => {
    heat.style.opacity = String(Number(slider.value) / 100);
    out.textContent = `${slider.value} %`;
    slider.setAttribute('aria-valuetext', t('film.perCent', { value: slider.value }));
  };
  slider.addEventListener('input', set);
  set();
  const control = h('label', { class: 'slider' }, `${t('film.heatMap')} `, slider, out);
  // A heat map with another version's layout can't be shown over the film.
  heat.addEventListener('error', () => {
    heat.remove();
    control.replaceWith(
      h(
        'p',
        { class: 'faint' },
        `${t('film.heatMapApart')} `,
        h('a', { href: sized(`${path}&part=whole`), target: '_blank', rel: 'noopener' }, t('film.heatMapAlone')),
      ),
    );
  });
  void ready.then(() => {
    if (!stage.isConnected) return;
    heat.src = sized(`${path}&part=film`);
    // Below the outlines.
    stage.querySelector('.film')?.after(heat);
  });
  return control;
}

type Ring = readonly (readonly [number, number])[];

function outlineControls(
  { size, hotRegion, lungs, outlinesAreBurnedIn }: FilmReport,
  stage: HTMLElement,
): HTMLElement[] {
  if (size === null) return [];
  const picture = svg('svg', {
    class: 'outlines',
    viewBox: `0 0 ${size.columns} ${size.rows}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  stage.append(picture);
  const box = (words: string, name: string, rings: readonly Ring[]) => {
    const group = svg('g', { class: name }, ...rings.map(polygon));
    picture.append(group);
    const input = h('input', { type: 'checkbox' });
    input.addEventListener('change', () => group.classList.toggle('shown', input.checked));
    return h('label', {}, input, ` ${words}`);
  };
  const note = (words: string) => h('p', { class: 'faint small' }, words);
  return [
    ...(hotRegion.length > 2 ? [box(t('film.hotRegion'), 'hot', [hotRegion])] : []),
    ...(lungs === null ? [] : [box(t('film.lungs'), 'lungs', lungs)]),
    ...(outlinesAreBurnedIn ? [note(t('film.burnedIn'))] : []),
  ];
}

function polygon(ring: Ring): SVGElement {
  return svg('polygon', {
    points: ring.map(([column, row]) => `${column},${row}`).join(' '),
    'vector-effect': 'non-scaling-stroke',
  });
}
