import { drawSyntheticFilm, type SyntheticFilm } from '../../../src/objects/synthetic-film';
import { dicomFile, filmElements, type FixtureElement } from './dicom-fixture';

/** The eight ways in which a frontal film can lie: direction of the rows, direction of the columns. */
export const ORIENTATIONS = ['L\\F', 'R\\F', 'L\\H', 'R\\H', 'F\\L', 'F\\R', 'H\\L', 'H\\R'] as const;
export type Orientation = (typeof ORIENTATIONS)[number];

export interface Cells {
  readonly rows: number;
  readonly columns: number;
  readonly cells: readonly number[];
}

/**
 * Where a pixel of a film in the standard position lies in a film of that orientation: by the words of PS3.3 section
 * C.7.6.1.1.1 only, the direction in which rows and columns run, so that the code under test is not tested against
 * itself.
 */
export function placeIn(
  orientation: Orientation,
  { rows, columns }: { rows: number; columns: number },
  toFeet: number,
  toLeft: number,
): [row: number, column: number] {
  const along: Record<string, number> = { L: toLeft, R: columns - 1 - toLeft, F: toFeet, H: rows - 1 - toFeet };
  const [rowDirection, columnDirection] = orientation.split('\\') as [string, string];
  return [along[columnDirection]!, along[rowDirection]!];
}

/** A film in the standard position, as a detector would have stored it in that orientation. */
export function laid(standing: Cells, orientation: Orientation): Cells {
  const turned = 'FH'.includes(orientation[0]!);
  const [rows, columns] = turned ? [standing.columns, standing.rows] : [standing.rows, standing.columns];
  const cells = new Array<number>(standing.cells.length);
  standing.cells.forEach((value, index) => {
    const [row, column] = placeIn(
      orientation,
      standing,
      Math.floor(index / standing.columns),
      index % standing.columns,
    );
    cells[row * columns + column] = value;
  });
  return { rows, columns, cells };
}

export function drawnCells(options: SyntheticFilm): Cells {
  const { rows, columns, pixels } = drawSyntheticFilm(options);
  return { rows, columns, cells: Array.from(pixels) };
}

/** A chest film of these cells that says how it lies, or nothing about it; without the elements of the tags `left`. */
export function lyingFilm(
  { rows, columns, cells }: Cells,
  patientOrientation: string,
  more: readonly FixtureElement[] = [],
  ...left: readonly number[]
): Uint8Array {
  const own: FixtureElement[] = [
    [0x00180015, 'CS', 'CHEST'],
    [0x00200020, 'CS', patientOrientation],
    [0x00281050, 'DS', '2048'],
    [0x00281051, 'DS', '4096'],
  ];
  const replaced = new Set([...more.map(([tag]) => tag), ...left]);
  const elements = filmElements({ rows, columns, more: [...own.filter(([tag]) => !replaced.has(tag)), ...more] });
  return dicomFile([
    ...elements.filter(([tag]) => more.some(([other]) => other === tag) || !left.includes(tag)),
    [0x7fe00010, 'OW', new Uint8Array(Uint16Array.from(cells).buffer)],
  ]);
}
