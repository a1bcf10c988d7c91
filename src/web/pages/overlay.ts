import type { FilmDetail, FilmReport } from '../api/api-types.js';
import { h, svg } from './dom.js';
import { RESEARCH_USE } from './wording.js';

/** The film with the heat map over it; a slider sets how much of the map is seen, boxes draw the outlines. */
export function overlay(film: FilmDetail, report: Promise<FilmReport | null>): HTMLElement {
  if (film.picture === null) return h('p', { class: 'faint' }, 'The pictures are for radiologists.');
  const under = h('img', { class: 'film', alt: `Film, ${film.view || 'view not stated'}`, src: sized(film.picture) });
  const stage = h('div', { class: 'stage' }, under);
  const figure = h('figure', { class: 'overlay' }, stage);
  under.addEventListener('error', () =>
    stage.replaceChildren(
      h(
        'p',
        { class: 'problem' },
        'The film could not be shown: the archive does not answer, or its pixels cannot be read.',
      ),
    ),
  );
  const controls = h('div', { class: 'controls' });
  if (film.heatMap !== null) controls.append(heatControls(film.heatMap, stage));
  figure.append(controls, h('figcaption', { class: 'research small' }, RESEARCH_USE.statement));
  void report.then((found) => found !== null && controls.append(...outlineControls(found, stage)));
  return figure;
}

const sized = (path: string) => `${path}${path.includes('?') ? '&' : '?'}size=1024`;

function heatControls(path: string, stage: HTMLElement): HTMLElement {
  const heat = h('img', {
    class: 'heat',
    alt: 'Heat map of the class activation over the film',
    src: sized(`${path}&part=film`),
  });
  const out = h('output', {}, '50 %');
  const slider = h('input', { type: 'range', min: 0, max: 100, value: 50, step: 1, 'aria-label': 'Heat map opacity' });
  const set = () => {
    heat.style.opacity = String(Number(slider.value) / 100);
    out.textContent = `${slider.value} %`;
    slider.setAttribute('aria-valuetext', `${slider.value} per cent`);
  };
  slider.addEventListener('input', set);
  set();
  const control = h('label', { class: 'slider' }, 'Heat map ', slider, out);
  // One that another version laid out otherwise can't lie over the film.
  heat.addEventListener('error', () => {
    heat.remove();
    control.replaceWith(
      h(
        'p',
        { class: 'faint' },
        'The stored heat map cannot lie over the film. ',
        h('a', { href: sized(`${path}&part=whole`), target: '_blank', rel: 'noopener' }, 'Show it by itself'),
      ),
    );
  });
  stage.append(heat);
  return control;
}

function outlineControls({ size, hotRegion, lungs }: FilmReport, stage: HTMLElement): HTMLElement[] {
  if (size === null) return [];
  const picture = svg('svg', {
    class: 'outlines',
    viewBox: `0 0 ${size.columns} ${size.rows}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  stage.append(picture);
  const box = (words: string, name: string, rings: readonly (readonly (readonly [number, number])[])[]) => {
    const group = svg(
      'g',
      { class: name },
      ...rings.map((ring) =>
        svg('polygon', {
          points: ring.map(([column, row]) => `${column},${row}`).join(' '),
          'vector-effect': 'non-scaling-stroke',
        }),
      ),
    );
    picture.append(group);
    const input = h('input', { type: 'checkbox' });
    const set = () => group.classList.toggle('shown', input.checked);
    input.addEventListener('change', set);
    return h('label', {}, input, ` ${words}`);
  };
  const hot = hotRegion.length > 2 ? [box('Region of greatest activation', 'hot', [hotRegion])] : [];
  const lung =
    lungs === null
      ? h(
          'p',
          { class: 'faint small' },
          'No lungs outline: the archive has no Segmentation of this film (results.segmentation writes it).',
        )
      : box('Lungs outline', 'lungs', lungs);
  return [...hot, lung];
}
