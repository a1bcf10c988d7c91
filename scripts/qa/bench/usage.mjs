/** What processes use, as Linux tells it (proc(5)). */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Every process of these groups that runs. */
function members(groups) {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => stat(pid) ?? [])
    .filter(({ group }) => groups.includes(group));
}

/** Null for a process that has ended meanwhile. */
function stat(pid) {
  try {
    const fields = statFields(pid);
    return {
      pid,
      group: Number(fields[2]),
      ticks: fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0),
    };
  } catch {
    return null;
  }
}

/** From the state on, the third one. */
function statFields(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets and may hold anything.
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** User and system time of process groups so far, with children that have ended (seconds). */
export function cpuSeconds(groups) {
  return members(groups).reduce((sum, { ticks }) => sum + ticks / TICKS, 0);
}

/** User and system time of the children of this process that have ended (seconds). */
export function endedChildrenCpuSeconds() {
  return (
    statFields('self')
      .slice(13, 15)
      .reduce((sum, value) => sum + Number(value), 0) / TICKS
  );
}

/** Resident memory of a process group (MiB). */
export function residentMiB(group) {
  return members([group]).reduce((sum, { pid }) => sum + residentKiB(pid) / 1024, 0);
}

function residentKiB(pid) {
  try {
    return Number(/^VmRSS:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
