/**
 * Drawn films with the shape of a radiograph, for tests and demonstrations without real films. Never tune the drawing
 * until a model or the out-of-distribution check gives a wanted answer.
 */

export type SyntheticView = 'PA' | 'AP' | 'LL';
/** `nothing`: a plate that was read without an exposure. */
export type SyntheticSubject = 'chest' | 'hand' | 'nothing';

export interface SyntheticFilm {
  /** The same seed gives the same film, to the last pixel. */
  readonly seed: number;
  readonly view: SyntheticView;
  readonly rows: number;
  readonly columns: number;
  /** Default: chest. */
  readonly subject?: SyntheticSubject;
  /** Number of patchy opacities in the lungs; by default 0 to 4, by the seed. */
  readonly opacities?: number;
}

export interface SyntheticPixels {
  readonly rows: number;
  readonly columns: number;
  /** 12 bits, MONOCHROME2: 0 is air, 4095 is dense. */
  readonly pixels: Uint16Array;
}

/** Thickness of the body at a point; 1 is about its middle. `x` goes to the image's right, `y` down, both 0..1. */
type Layer = (x: number, y: number) => number;

/** @throws RangeError for an impossible size */
export function drawSyntheticFilm(film: SyntheticFilm): SyntheticPixels {
  const { seed, view, rows, columns } = film;
  if (![rows, columns].every((n) => Number.isInteger(n) && n >= 8 && n <= 8192))
    throw new RangeError(`a drawn film has 8 to 8192 rows and columns, not ${rows} x ${columns}`);
  if (film.subject === 'nothing')
    return { rows, columns, pixels: new Uint16Array(rows * columns).fill(Math.round(exposure(0))) };
  const density = densityOf(film);
  const smoothed = sampled(density, Math.min(GRID, Math.max(rows, columns)));
  const noise = randomFrom(`noise ${seed} ${view}`);
  const pixels = new Uint16Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      const thickness = smoothed((column + 0.5) / columns, (row + 0.5) / rows);
      pixels[i] = Math.max(0, Math.min(4095, Math.round(exposure(thickness) + 28 * bell(noise))));
    }
  }
  return { rows, columns, pixels };
}

function densityOf({ seed, view, subject = 'chest', opacities }: SyntheticFilm): Layer {
  const random = randomFrom(`${seed} ${view}`);
  if (subject === 'hand') return hand(random);
  const count = opacities ?? Math.floor(random() * 5);
  return view === 'LL' ? lateralChest(random, count) : frontalChest(random, view, count);
}

/**
 * Samples per side at which shapes are computed: they are smooth, and a film of 2048 pixels would take half a minute
 * otherwise.
 */
const GRID = 448;

/** A layer computed once on a grid, with linear interpolation. */
function sampled(layer: Layer, size: number): Layer {
  const grid = new Float32Array(size * size);
  for (let i = 0; i < grid.length; i++) grid[i] = layer(((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size);
  const clamp = (position: number) => Math.max(0, Math.min(size - 1.0001, position));
  return (x, y) => {
    const [column, row] = [clamp(x * size - 0.5), clamp(y * size - 0.5)];
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [right, low] = [column - left, row - top];
    const at = top * size + left;
    const upper = grid[at]! * (1 - right) + grid[at + 1]! * right;
    const lower = grid[at + size]! * (1 - right) + grid[at + size + 1]! * right;
    return upper * (1 - low) + lower * low;
  };
}

/** Response of the film: air is dark but not black, dense tissue saturates. */
function exposure(thickness: number): number {
  return 160 + 3500 * (1 - Math.exp(-1.15 * Math.max(0, thickness)));
}

// --- Frontal view
// -------------------------------------------------------------------------------------------------------------------

/** The patient's right is on the image's left, so that the heart points to the image's right. */
function frontalChest(random: () => number, view: 'PA' | 'AP', opacities: number): Layer {
  const supine = view === 'AP';
  const middle = 0.5 + 0.02 * bell(random);
  const base = (supine ? 0.72 : 0.8) + 0.02 * bell(random);
  const lungs = frontalLungs(middle, base);
  const inside: Layer = (x, y) => Math.max(lungs.right(x, y), lungs.left(x, y));
  const heartWidth = (supine ? 0.2 : 0.165) + 0.01 * bell(random);
  const parts: Layer[] = [
    (x, y) => -0.62 * inside(x, y),
    mediastinum(middle, (x, y) => ellipse(x, y, middle + 0.055, base - 0.12, heartWidth, 0.135, 0.5, 0.22)),
    (x, y) => 0.5 * smooth(base - 0.01, base + 0.16, y) * (1 - inside(x, y)),
    ...frontalRibs(middle, base, random),
    clavicle(middle, -1, random),
    clavicle(middle, 1, random),
    masked(inside, vessels(middle, random)),
    ...patches(random, opacities, (side) => [
      middle + side * (0.1 + 0.14 * random()),
      0.32 + (base - 0.4) * random(),
    ]).map((patch) => masked(inside, patch)),
  ];
  const body = torso(middle, supine);
  return (x, y) => {
    const outline = body(x, y);
    return outline < 0.01 ? 0 : outline * Math.max(0.14, 0.86 + sum(parts, x, y));
  };
}

function torso(middle: number, supine: boolean): Layer {
  return (x, y) => {
    const across = Math.abs(x - middle);
    const shoulder = 0.11 + 0.4 * smooth(0, supine ? 0.14 : 0.22, y) - 0.09 * smooth(0.25, 0.6, y);
    return 1 - smooth(shoulder - 0.05, shoulder + 0.01, across);
  };
}

/** Each lung is an egg with its narrow end up, cut off by the dome of the diaphragm; the right dome is higher. */
function frontalLungs(middle: number, base: number): { right: Layer; left: Layer } {
  const lung =
    (side: -1 | 1, floor: number): Layer =>
    (x, y) => {
      const centre = middle + side * (0.18 + 0.07 * (y - 0.4));
      const height = (y - 0.12) / (floor + 0.1 - 0.12);
      if (height <= 0 || height >= 1) return 0;
      const halfWidth = 0.178 * Math.pow(height, 0.42) * (1 - 0.12 * height);
      const dome = floor - 0.07 * Math.cos(Math.min(1, Math.abs(x - centre) / 0.19) * (Math.PI / 2)) + 0.06;
      return (
        (1 - smooth(halfWidth - 0.025, halfWidth + 0.012, Math.abs(x - centre))) *
        (1 - smooth(dome - 0.02, dome + 0.015, y)) *
        smooth(0.12, 0.16, y)
      );
    };
  return { right: lung(-1, base - 0.025), left: lung(1, base) };
}

/**
 * Heart and great vessels as one shadow, the aortic knob, the spine with its vertebrae seen through them, and the dark
 * air of the trachea.
 */
function mediastinum(middle: number, heart: Layer): Layer {
  return (x, y) => {
    const across = Math.abs(x - middle);
    const spine = (0.16 + 0.04 * Math.sin(y * 95)) * (1 - smooth(0.025, 0.045, across));
    const vessels = (1 - smooth(0.03, 0.075, across - 0.02 * y)) * smooth(0.14, 0.26, y);
    const shadow = 0.52 * Math.max(heart(x, y), 0.7 * vessels);
    const knob = 0.2 * ellipse(x, y, middle + 0.06, 0.32, 0.035, 0.035, 0, 0.3);
    const trachea = -0.26 * (1 - smooth(0.012, 0.024, across)) * (1 - smooth(0.34, 0.4, y));
    return spine + shadow + knob + trachea;
  };
}

/** Ten pairs: posterior parts run from the spine outwards and down, anterior parts are steeper and fainter. */
function frontalRibs(middle: number, base: number, random: () => number): Layer[] {
  const spacing = (base - 0.14) / 9.2;
  return Array.from({ length: 10 }, (_, i) => {
    const top = 0.13 + i * spacing + 0.004 * bell(random);
    const reach = 0.19 + 0.175 * Math.sqrt(Math.min(1, (i + 1) / 6));
    return (x: number, y: number) => {
      const across = Math.abs(x - middle) / reach;
      if (across > 1.02) return 0;
      const behind = top - 0.035 * Math.sin(Math.PI * across * 0.9) + 0.075 * across * across;
      const front = top + 0.17 - 0.13 * across * across;
      return (
        0.15 * line(y - behind, 0.0115) * smooth(0.1, 0.2, across) * (1 - smooth(0.9, 1.02, across)) +
        0.07 * line(y - front, 0.014) * smooth(0.42, 0.6, across) * (1 - smooth(0.9, 1.02, across))
      );
    };
  });
}

function clavicle(middle: number, side: -1 | 1, random: () => number): Layer {
  const rise = 0.05 + 0.01 * bell(random);
  return (x, y) => {
    const along = (side * (x - middle) - 0.035) / 0.32;
    if (along < 0 || along > 1) return 0;
    return (
      0.17 *
      smooth(0, 0.05, along) *
      (1 - smooth(0.85, 1, along)) *
      line(y - (0.195 - rise * along - 0.012 * Math.sin(along * 7)), 0.013)
    );
  };
}

/** Branches that leave the hilum of each lung and grow thinner. */
function vessels(middle: number, random: () => number): Layer {
  const branches = Array.from({ length: 26 }, (_, i) => {
    const side = i % 2 === 0 ? -1 : 1;
    return {
      x: middle + side * (0.07 + 0.02 * random()),
      y: 0.4 + 0.08 * random(),
      angle: (random() - 0.45) * 2.6,
      side,
      reach: 0.1 + 0.16 * random(),
      bend: (random() - 0.5) * 1.2,
    };
  });
  return (x, y) => {
    let total = 0;
    for (const branch of branches) total += vessel(branch, x, y);
    return (
      total +
      0.1 * ellipse(x, y, middle - 0.085, 0.44, 0.035, 0.06, 0.2, 0.6) +
      0.1 * ellipse(x, y, middle + 0.085, 0.43, 0.03, 0.055, -0.2, 0.6)
    );
  };
}

function vessel(
  branch: { x: number; y: number; angle: number; side: number; reach: number; bend: number },
  x: number,
  y: number,
): number {
  const dx = (x - branch.x) * branch.side;
  const dy = y - branch.y;
  const distance = Math.hypot(dx, dy);
  if (distance > branch.reach || dx < 0) return 0;
  const off = Math.atan2(dy, dx) - branch.angle - branch.bend * (distance / branch.reach) * 0.5;
  const fade = 1 - distance / branch.reach;
  return 0.12 * fade * line(off * distance, 0.003 + 0.006 * fade);
}

// --- Lateral view
// -------------------------------------------------------------------------------------------------------------------

/** The patient looks to the image's left: sternum on the left, spine on the right. */
function lateralChest(random: () => number, opacities: number): Layer {
  const base = 0.78 + 0.02 * bell(random);
  const lung: Layer = (x, y) =>
    ellipse(x, y, 0.5 - 0.02 * y, 0.47, 0.25, 0.37, 0.06, 0.1) *
    (1 -
      smooth(
        -0.02,
        0.03,
        y - (base - 0.1 * Math.sin(Math.PI * Math.min(1, Math.max(0, x - 0.2) / 0.7)) + 0.2 * (x - 0.5)),
      ));
  const parts: Layer[] = [
    (x, y) => -0.5 * lung(x, y),
    (x, y) => 0.4 * ellipse(x, y, 0.4, 0.58, 0.14, 0.17, 0.5, 0.35),
    lateralSpine,
    (x, y) =>
      0.2 *
      line(x - (0.235 - 0.05 * Math.sin(Math.PI * y)), 0.014) *
      smooth(0.18, 0.24, y) *
      (1 - smooth(0.6, 0.68, y)),
    (x, y) => 0.45 * smooth(base - 0.02, base + 0.12, y) * (1 - lung(x, y)),
    (x, y) => 0.55 * (1 - smooth(0.16, 0.3, y)) * smooth(0.5, 0.62, x),
    ...lateralRibs(random),
    ...patches(random, opacities, () => [0.35 + 0.3 * random(), 0.3 + 0.35 * random()]).map((patch) =>
      masked(lung, patch),
    ),
  ];
  return (x, y) => {
    const depth = 0.25 + 0.12 * smooth(0.08, 0.35, y);
    const outline = (1 - smooth(depth - 0.04, depth + 0.015, Math.abs(x - 0.51))) * smooth(-0.05, 0.1, y + 0.2);
    return outline < 0.01 ? 0 : outline * Math.max(0.16, 0.95 + sum(parts, x, y));
  };
}

const lateralSpine: Layer = (x, y) => {
  const course = 0.735 + 0.045 * Math.sin(Math.PI * (y - 0.1)) - 0.03 * y;
  const vertebra = 0.65 + 0.35 * Math.tanh(5 * Math.sin(y * 78));
  return (
    0.36 * (1 - smooth(0.032, 0.05, Math.abs(x - course))) * vertebra + 0.12 * line(x - course - 0.085, 0.02) * vertebra
  );
};

function lateralRibs(random: () => number): Layer[] {
  return Array.from({ length: 9 }, (_, i) => {
    const top = 0.14 + i * 0.07 + 0.006 * bell(random);
    return (x: number, y: number) => {
      const along = (0.76 - x) / 0.5;
      return along < 0 || along > 1
        ? 0
        : 0.08 * line(y - (top + 0.16 * along - 0.04 * Math.sin(Math.PI * along)), 0.011);
    };
  });
}

// --- Hand
// -------------------------------------------------------------------------------------------------------------------

/** Start and end of a bone or finger; 0..1 of the film. */
type Stretch = readonly [x1: number, y1: number, x2: number, y2: number];

const WRIST = [0.49, 0.8] as const;
/** Thumb to little finger: knuckle and tip. */
const FINGERS: readonly Stretch[] = [
  [0.3, 0.68, 0.13, 0.47],
  [0.37, 0.5, 0.29, 0.16],
  [0.47, 0.47, 0.46, 0.08],
  [0.57, 0.49, 0.62, 0.14],
  [0.66, 0.55, 0.78, 0.27],
];
/** Start and end of the bones of a finger, as parts of its length. */
const PHALANGES = [
  [0.03, 0.42],
  [0.47, 0.7],
  [0.75, 0.95],
] as const;

/** A hand from the back: soft tissue with bones. */
function hand(random: () => number): Layer {
  const size = 1 + 0.05 * bell(random);
  const flesh = [
    ...FINGERS.map((finger) => rod(finger, 0.042 * size)),
    rod([0.45, 0.6, 0.53, 0.62], 0.17 * size),
    rod([...WRIST, 0.5, 1.2], 0.1 * size),
  ];
  const bones = FINGERS.flatMap(([x1, y1, x2, y2]) => {
    const at = (part: number) => [x1 + part * (x2 - x1), y1 + part * (y2 - y1)] as const;
    const [left, top] = [WRIST[0] + 0.35 * (x1 - WRIST[0]), WRIST[1] - 0.06];
    return [rod([left, top, ...at(-0.06)], 0.017), ...PHALANGES.map(([a, b]) => rod([...at(a), ...at(b)], 0.014))];
  });
  const carpals = [-0.05, 0, 0.05].map((x) => rod([WRIST[0] + x, 0.78, WRIST[0] + x, 0.8], 0.022));
  const forearm = [-0.05, 0.045].map((x) => rod([WRIST[0] + x, 0.87, WRIST[0] + x, 1.2], 0.032));
  const most = (layers: readonly Layer[], x: number, y: number) => Math.max(...layers.map((layer) => layer(x, y)));
  const skeleton = [...bones, ...carpals, ...forearm];
  return (x, y) => 0.3 * most(flesh, x, y) + 0.55 * most(skeleton, x, y);
}

/** 1 along a stretch, falling to 0 at `radius` from it. */
function rod([x1, y1, x2, y2]: Stretch, radius: number): Layer {
  const [dx, dy] = [x2 - x1, y2 - y1];
  return (x, y) => {
    const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy)));
    return 1 - smooth(0.6 * radius, radius, Math.hypot(x - x1 - along * dx, y - y1 - along * dy));
  };
}

// --- All
// ---------------------------------------------------------------------------------------------------------------------

/** Cloudy patches with irregular edges. */
function patches(random: () => number, count: number, place: (side: -1 | 1) => [number, number]): Layer[] {
  return Array.from({ length: count }, () => {
    const [cx, cy] = place(random() < 0.5 ? -1 : 1);
    const [size, strength, phase] = [0.035 + 0.045 * random(), 0.16 + 0.16 * random(), 6 * random()];
    return (x: number, y: number) => {
      const cloud =
        1 + 0.35 * Math.sin(60 * x + phase) * Math.sin(70 * y - phase) + 0.2 * Math.sin(130 * (x + y) + phase);
      return strength * cloud * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * size * size));
    };
  });
}

const masked =
  (mask: Layer, layer: Layer): Layer =>
  (x, y) => {
    const inside = mask(x, y);
    return inside === 0 ? 0 : inside * layer(x, y);
  };

function sum(layers: readonly Layer[], x: number, y: number): number {
  let total = 0;
  for (const layer of layers) total += layer(x, y);
  return total;
}

/** 1 inside an ellipse turned by `angle`, falling to 0 over the outer part `edge` of its radius. */
function ellipse(
  x: number,
  y: number,
  cx: number,
  cy: number,
  rx: number,
  ry: number,
  angle: number,
  edge: number,
): number {
  const [dx, dy] = [x - cx, y - cy];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return 1 - smooth(1 - edge, 1 + edge / 2, Math.hypot((dx * cos - dy * sin) / rx, (dx * sin + dy * cos) / ry));
}

/** A soft line of half width `width`, by the distance from its middle. */
function line(distance: number, width: number): number {
  const t = distance / width;
  return t > 3 || t < -3 ? 0 : Math.exp(-t * t);
}

/** 0 below `from`, 1 above `to`, smoothstep between. */
function smooth(from: number, to: number, value: number): number {
  const t = Math.max(0, Math.min(1, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** Uniform random numbers 0..1 (mulberry32), seeded by the FNV-1a hash of a text. */
function randomFrom(text: string): () => number {
  let state = 2166136261;
  for (const character of text) state = Math.imul(state ^ character.charCodeAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Roughly normal random numbers around 0 with deviation 0.7: the sum of four uniform ones. */
function bell(random: () => number): number {
  return (random() + random() + random() + random() - 2) * 1.2;
}
