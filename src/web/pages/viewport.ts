import { h } from './dom.js';
import { t } from './language.js';

/** Visible part of a picture, independent of its size, so that another picture can show the same part. */
export interface View {
  /**
   * Magnification relative to the size at which the whole picture fits; null: always fits, whatever the window's size.
   */
  readonly zoom: number | null;
  /** Position of the window's middle relative to that of the picture, as a share of the picture. */
  readonly x: number;
  readonly y: number;
}

interface Tone {
  /** In per cent; 100 leaves the picture unchanged. */
  readonly brightness: number;
  readonly contrast: number;
}

const FIT: View = { zoom: null, x: 0, y: 0 };
const PLAIN: Tone = { brightness: 100, contrast: 100 };
const STEP = 1.25;
const MAX_ZOOM = 16;
/** Share of the window that an arrow key moves by. */
const PAN = 0.1;
const MIN_TONE = 25;
const MAX_TONE = 300;

const within = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/**
 * A window on a film: zoom, panning, brightness and contrast. Everything in `stage` (film, heat map, outlines) moves
 * together; the film's size counts.
 */
export class Viewport {
  readonly stage: HTMLElement;
  readonly element: HTMLElement;
  private view = FIT;
  private tone = PLAIN;
  /** Called for each change by the user. */
  onView: (view: View) => void = () => {};
  onTone: (tone: Tone) => void = () => {};

  constructor(
    private readonly film: HTMLImageElement,
    name: string,
  ) {
    this.stage = h('div', { class: 'stage' }, film);
    this.element = h('div', {
      class: 'viewport',
      tabindex: 0,
      role: 'group',
      'aria-label': t('film.keys', { film: name }),
    });
    this.element.append(this.stage);
    film.addEventListener('load', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.element);
    this.element.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.element.addEventListener('pointerdown', (event) => this.drag(event));
    this.element.addEventListener('contextmenu', (event) => event.preventDefault());
    this.element.addEventListener('dblclick', () => this.fit());
  }

  get isZoomed(): boolean {
    return this.view.zoom !== null;
  }

  fit(): void {
    this.change(FIT);
  }

  /** One pixel of the picture for each of the screen. */
  oneToOne(): void {
    this.change({ zoom: 1 / (this.fitScale() * window.devicePixelRatio), x: 0, y: 0 });
  }

  /** Zooms by one step in (1) or out (-1). */
  zoomBy(steps: number): void {
    this.change({ ...this.view, zoom: (this.view.zoom ?? 1) * STEP ** steps });
  }

  /** Moves by tenths of the window. */
  panBy(right: number, down: number): void {
    const { clientWidth, clientHeight } = this.element;
    this.move(right * PAN * clientWidth, down * PAN * clientHeight);
  }

  setTone(tone: Partial<Tone>): void {
    const { brightness, contrast } = { ...this.tone, ...tone };
    this.tone = {
      brightness: Math.round(within(brightness, MIN_TONE, MAX_TONE)),
      contrast: Math.round(within(contrast, MIN_TONE, MAX_TONE)),
    };
    this.draw();
    this.onTone(this.tone);
  }

  resetTone(): void {
    this.setTone(PLAIN);
  }

  /** Follows another window, without calling `onView`. */
  follow(view: View): void {
    this.view = view;
    this.draw();
  }

  private change({ zoom, x, y }: View): void {
    const isFit = zoom === null || zoom <= 1.001;
    this.view = isFit && (zoom === null || zoom >= 0.999) ? FIT : this.held({ zoom, x, y });
    this.draw();
    this.onView(this.view);
  }

  /** Limits a view: not smaller than fits, except for one to one, and not moved out of the window. */
  private held({ zoom, x, y }: View): View {
    const least = Math.min(1, 1 / (this.fitScale() * window.devicePixelRatio));
    const held = within(zoom ?? 1, least, MAX_ZOOM);
    const scale = this.fitScale() * held;
    const reach = (shown: number, size: number) => Math.max(0, 0.5 - shown / (2 * size * scale));
    const [acrossMost, downMost] = [
      reach(this.element.clientWidth, this.film.naturalWidth),
      reach(this.element.clientHeight, this.film.naturalHeight),
    ];
    return { zoom: held, x: within(x, -acrossMost, acrossMost), y: within(y, -downMost, downMost) };
  }

  /** Moves by pixels of the screen. */
  private move(right: number, down: number): void {
    const scale = this.fitScale() * (this.view.zoom ?? 1);
    this.change({
      ...this.view,
      x: this.view.x + right / (this.film.naturalWidth * scale),
      y: this.view.y + down / (this.film.naturalHeight * scale),
    });
  }

  private fitScale(): number {
    const { naturalWidth, naturalHeight } = this.film;
    const { clientWidth, clientHeight } = this.element;
    if (naturalWidth === 0 || clientWidth === 0) return 1;
    return Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight);
  }

  private draw(): void {
    if (this.film.naturalWidth === 0) return;
    const scale = this.fitScale() * (this.view.zoom ?? 1);
    const [width, height] = [this.film.naturalWidth * scale, this.film.naturalHeight * scale];
    const { style } = this.stage;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.left = `${(this.element.clientWidth - width) / 2 - this.view.x * width}px`;
    style.top = `${(this.element.clientHeight - height) / 2 - this.view.y * height}px`;
    this.element.classList.toggle('zoomed', this.isZoomed);
    const { brightness, contrast } = this.tone;
    const filter = this.tone === PLAIN ? '' : `brightness(${brightness}%) contrast(${contrast}%)`;
    for (const picture of this.stage.querySelectorAll('img')) picture.style.filter = filter;
  }

  /** The point under the pointer stays in place. */
  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const box = this.element.getBoundingClientRect();
    const [right, down] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    const before = this.fitScale() * (this.view.zoom ?? 1);
    const zoom = within((this.view.zoom ?? 1) * (event.deltaY < 0 ? STEP : 1 / STEP), 0.01, MAX_ZOOM);
    const after = this.fitScale() * zoom;
    this.change({
      zoom,
      x: this.view.x + (right / before - right / after) / this.film.naturalWidth,
      y: this.view.y + (down / before - down / after) / this.film.naturalHeight,
    });
  }

  /** The left button moves the film, the right one changes brightness (up, down) and contrast (left, right). */
  private drag(start: PointerEvent): void {
    if (start.button !== 0 && start.button !== 2) return;
    this.element.setPointerCapture(start.pointerId);
    const tone = this.tone;
    let [x, y] = [start.clientX, start.clientY];
    const onMove = (event: PointerEvent) => {
      if (start.button === 2)
        this.setTone({
          brightness: tone.brightness - (event.clientY - start.clientY) / 2,
          contrast: tone.contrast + (event.clientX - start.clientX) / 2,
        });
      else if (this.isZoomed) this.move(x - event.clientX, y - event.clientY);
      [x, y] = [event.clientX, event.clientY];
    };
    const onEnd = () => {
      this.element.removeEventListener('pointermove', onMove);
      this.element.removeEventListener('pointerup', onEnd);
      this.element.removeEventListener('pointercancel', onEnd);
    };
    this.element.addEventListener('pointermove', onMove);
    this.element.addEventListener('pointerup', onEnd);
    this.element.addEventListener('pointercancel', onEnd);
  }
}
