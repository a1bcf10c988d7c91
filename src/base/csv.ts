type Cell = string | number | boolean | null;

/**
 * One line of a CSV file (RFC 4180, comma). A text that a spreadsheet would take for a formula gets an apostrophe
 * before it, so that a file name or a label can't compute anything where the file is opened.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\n`;
}

const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const harmless = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
