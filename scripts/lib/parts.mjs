/** A run in parts, each with its minutes. */

/** What `run` gives, with its name and how long it took. */
export async function timed(name, run) {
  const started = performance.now();
  const result = await run();
  return { name, minutes: (performance.now() - started) / 60_000, ...result };
}

/** A line for each part and one for all: minutes, then the columns that are asked for. */
export function minutesTable(rows, columns) {
  const all = { name: 'all', minutes: rows.reduce((sum, { minutes }) => sum + minutes, 0) };
  const width = Math.max(...[...rows, all].map(({ name }) => name.length));
  const line = (name, cells) => [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(9))].join('');
  return [
    line('', ['minutes', ...columns]),
    ...[...rows, all].map((row) => line(row.name, [row.minutes.toFixed(1), ...columns.map((key) => row[key] ?? '')])),
  ].join('\n');
}
