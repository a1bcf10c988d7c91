import { pixelAspect } from '../../src/dicom/pixel-aspect';
import { blend, colourOf, opacityOf } from '../../src/imaging/colour-map';
import { drawHeatMap, withOutlines } from '../../src/pipeline/draw';
import { captionLines } from '../../src/pipeline/draw-strip';
import { stripHeight } from '../../src/pipeline/picture-frame';
import type { ExplainedFilm } from '../../src/pipeline/stage';
import { analysed, BARE_FILM, IDENTITY, plane } from '../support/broker/outcomes';
import { reduced } from '../support/films/displayed';
import { covid } from '../support/records/finding';

const draw = (rows: number, columns: number) => drawHeatMap(analysed(BARE_FILM, { rows, columns }).explained, IDENTITY);

test.each([
  ['portrait', 700, 550],
  ['landscape', 550, 700],
  ['square', 1100, 1100],
  ['tiny', 30, 24],
  ['of one pixel', 1, 1],
  ['tall and narrow', 900, 30],
  ['flat and wide', 30, 900],
])('a film %s keeps its aspect and fits, strip included, into 512 to 1024 pixels', (_, rows, columns) => {
  const picture = draw(rows, columns);
  expect(Math.max(picture.rows, picture.columns)).toBeLessThanOrEqual(1024);
  expect(picture.columns).toBeGreaterThanOrEqual(512);
  expect(picture.rgb).toHaveLength(picture.rows * picture.columns * 3);
  const height = picture.rows - stripHeight(picture.columns);
  const width = (height * columns) / rows;
  expect(Math.max(height, width)).toBeGreaterThanOrEqual(512 - 1);
  expect(width).toBeLessThanOrEqual(picture.columns + columns / rows);
});

test.each([
  [{ PixelSpacing: [0.2, 0.1] }, 2],
  [{ ImagerPixelSpacing: [0.1, 0.2] }, 0.5],
  [{ PixelAspectRatio: [1, 2] }, 0.5],
  [{ PixelSpacing: [0.3, 0.1], ImagerPixelSpacing: [0.1, 0.1], PixelAspectRatio: [1, 1] }, 3],
  [{ PixelSpacing: [0, 0], PixelAspectRatio: [4, 3] }, 4 / 3],
  [{ PixelSpacing: [0.1, 0.1] }, 1],
  [{}, 1],
])(
  'pixels that are not square: %j makes a pixel %f times as high as wide, and the picture has its shape',
  (attributes, aspect) => {
    expect(pixelAspect(attributes)).toBeCloseTo(aspect);
    const { explained } = analysed({ ...BARE_FILM, ...attributes }, { rows: 300, columns: 300 });
    const picture = withOutlines(drawHeatMap(explained, IDENTITY));
    const height = picture.rows - stripHeight(picture.columns);
    const isFilm = (column: number) =>
      Buffer.from(
        picture.rgb.subarray((Math.round(height / 2) * picture.columns + column) * 3).subarray(0, 3),
      ).toString('hex') !== '0d1117';
    expect(height / Array.from({ length: picture.columns }, (_, column) => column).filter(isFilm).length).toBeCloseTo(
      aspect,
      1,
    );
    // The upper end of a lung's outline, light blue: it is where the lung is on the picture, not on the stored rows.
    const width = Math.round(height / aspect);
    const place =
      (Math.round(0.16 * height) * picture.columns +
        Math.floor((picture.columns - width) / 2) +
        Math.round(0.3 * width)) *
      3;
    const above =
      (Math.round(0.05 * height) * picture.columns +
        Math.floor((picture.columns - width) / 2) +
        Math.round(0.3 * width)) *
      3;
    expect(picture.rgb[place + 2]! - picture.rgb[place]!).toBeGreaterThan(30);
    expect(picture.rgb[above + 2]).toBe(picture.rgb[above]);
  },
);

test.each([[['0.1', 'x']], [[1, 1000]], [[-1, -1]], [[0.1]], ['0.1'], [null]])(
  'a spacing of %j says nothing about the shape of pixels',
  (PixelSpacing) => {
    expect(pixelAspect({ PixelSpacing })).toBe(1);
  },
);

test('the same film gives the same picture', () => {
  expect(Buffer.from(draw(300, 400).rgb)).toEqual(Buffer.from(draw(300, 400).rgb));
});

test('without heat and outlines the film is as it was, grey, and the strip hides none of it', () => {
  const { explained } = analysed(BARE_FILM, { rows: 600, columns: 600 });
  const { image } = explained.inferred.preprocessed.decoded;
  const { rgb, columns, rows } = drawHeatMap(
    {
      ...explained,
      findings: [{ ...explained.findings[0]!, heat: plane(224, 224, () => 0.1), hotRegions: [] }],
      lungOutlines: [],
    },
    IDENTITY,
  );
  expect({ columns, rows }).toEqual({ columns: 600, rows: 600 + stripHeight(600) });
  const worst = image.grey.values.reduce(
    (most, value, i) => Math.max(most, ...[0, 1, 2].map((channel) => Math.abs(rgb[i * 3 + channel]! - value * 255))),
    0,
  );
  expect(worst).toBeLessThanOrEqual(0.51);
});

test('the hottest place is coloured, the outlines are drawn where the polygons are', () => {
  const { explained } = analysed(BARE_FILM, { rows: 600, columns: 600 });
  const picture = withOutlines(drawHeatMap(explained, IDENTITY));
  const at = (x: number, y: number) =>
    [0, 1, 2].map(
      (channel) => picture.rgb[(Math.round(y * 600) * picture.columns + Math.round(x * 600)) * 3 + channel]!,
    );
  const [red, green, blue] = at(0.29, 0.62);
  expect(red! - blue!).toBeGreaterThan(40);
  expect(green! - blue!).toBeGreaterThan(20);
  expect(Math.min(...at(0.29, 0.54))).toBeGreaterThan(200); // white: upper end of the hot region
  expect(at(0.3, 0.16)[2]! - at(0.3, 0.16)[0]!).toBeGreaterThan(60); // light blue: upper end of a lung
});

test('the outlines are planes beside the picture, which itself has none of them: each can be hidden', () => {
  const { explained } = analysed(BARE_FILM, { rows: 600, columns: 600 });
  const picture = drawHeatMap(explained, IDENTITY);
  const bare = drawHeatMap(
    { ...explained, lungOutlines: [], findings: [{ ...explained.findings[0]!, hotRegions: [] }] },
    IDENTITY,
  );
  expect(Buffer.from(picture.rgb).equals(Buffer.from(bare.rgb))).toBe(true);
  expect(bare.outlines).toEqual([]);
  expect(picture.outlines!.map(({ of }) => of)).toEqual(['lungs', 'activation']);
  const isSet = (plane: number, x: number, y: number) => {
    const at = Math.round(y * 600) * picture.columns + Math.round(x * 600);
    return ((picture.outlines![plane]!.bits[at >> 3]! >> (at & 7)) & 1) === 1;
  };
  expect([isSet(0, 0.3, 0.16), isSet(0, 0.29, 0.54), isSet(0, 0.3, 0.3)]).toEqual([true, false, false]);
  expect([isSet(1, 0.3, 0.16), isSet(1, 0.29, 0.54), isSet(1, 0.29, 0.62)]).toEqual([false, true, false]);
});

test('where nothing speaks for the finding only the lungs are outlined', () => {
  const { explained } = analysed(BARE_FILM, { rows: 600, columns: 600 });
  const findings = [{ ...explained.findings[0]!, hotRegions: explained.lungOutlines }];
  expect(drawHeatMap({ ...explained, findings }, IDENTITY).outlines!.map(({ of }) => of)).toEqual(['lungs']);
});

test('values far out of range do no harm', () => {
  const { explained } = analysed(BARE_FILM, { rows: 20, columns: 20 });
  const wild: ExplainedFilm = {
    ...explained,
    inferred: {
      ...explained.inferred,
      preprocessed: {
        ...explained.inferred.preprocessed,
        decoded: { ...explained.inferred.preprocessed.decoded, image: reduced(plane(20, 20, (x) => (x - 0.5) * 50)) },
      },
    },
  };
  expect(() => drawHeatMap(wild, IDENTITY)).not.toThrow();
});

describe('the words on the picture', () => {
  const source = { ...BARE_FILM, PatientName: 'Doe^Jane', PatientID: '4711', TimezoneOffsetFromUTC: '+0100' };

  test('are model, probability, operating point, date and that it is for research', () => {
    expect(captionLines(covid(0.9731), IDENTITY, source).map(({ text }) => text)).toEqual([
      'RESEARCH USE - NOT FOR DIAGNOSIS',
      'COVID-19: probability 97.3 %',
      'at or above the operating point (42.1 %)',
      'covid-vgg19 1.0.0  ·  Hilum 0.1.0  ·  2026-01-05 15:22',
    ]);
  });

  test('say nothing about absence', () => {
    expect(captionLines(covid(0.1), IDENTITY, source)[2]!.text).toBe(
      'below the operating point (42.1 %): no statement about absence',
    );
  });

  test('give no figure for a finding in shadow', () => {
    const lines = captionLines({ ...covid(0.9731), mode: 'shadow' }, IDENTITY, source);
    expect(lines.slice(0, 3)).toEqual([
      { text: 'RESEARCH USE - NOT FOR DIAGNOSIS', style: 'warning' },
      { text: 'COVID-19: no result', style: 'result' },
      { text: 'In shadow, for evaluation only: no statement, and nothing follows from it.', style: 'plain' },
    ]);
  });

  test('are drawn: the strip is not empty', () => {
    const { rgb, columns, rows } = draw(300, 400);
    const strip = rgb.subarray((rows - stripHeight(columns)) * columns * 3);
    expect(strip.filter((value) => value > 150).length).toBeGreaterThan(1500);
  });

  test('follow the analysis: another probability makes another strip', () => {
    const bytes = (probability: number) =>
      Buffer.from(drawHeatMap(analysed(BARE_FILM, { probability }).explained, IDENTITY).rgb);
    expect(bytes(0.5).equals(bytes(0.6))).toBe(false);
  });
});

describe('the colours', () => {
  const steps = Array.from({ length: 101 }, (_, i) => i / 100);
  const luminance = ([red, green, blue]: readonly number[]) => 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;

  test('get brighter with every step of heat', () => {
    const bright = steps.map((heat) => luminance(colourOf(heat)));
    expect(bright.every((value, i) => i === 0 || value > bright[i - 1]!)).toBe(true);
  });

  test('leave the film alone where there is little heat and never hide it', () => {
    expect(blend(0.4, 0.1)).toEqual([102, 102, 102]);
    expect(Math.max(...steps.map(opacityOf))).toBeCloseTo(0.6);
  });
});
