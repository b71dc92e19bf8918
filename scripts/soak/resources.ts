import { readdirSync, readFileSync } from "node:fs";

/** What a process holds. */
export interface Resources {
  readonly rssMiB: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}

/** Reads a process' resources from /proc; null where there is none. */
export function resourcesOf(pid: number): Resources | null {
  try {
    const kiB = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
    return { rssMiB: kiB / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return null;
  }
}

/** Largest share, and the MiB on top of it, by which the last quarter may need more memory than the second. */
const GROWTH_SHARE_MAX = 0.15;
const GROWTH_MIB_MAX = 24;

/** What is wrong with how memory went over a run, or null. The first quarter warms up and does not count. */
export function memoryGrowth(samples: readonly Resources[]): string | null {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) return "too few samples of memory, expected a longer run";
  const median = (part: readonly Resources[]) =>
    part.map(({ rssMiB }) => rssMiB).sort((a, b) => a - b)[Math.floor(part.length / 2)]!;
  const early = median(samples.slice(quarter, 2 * quarter));
  const late = median(samples.slice(-quarter));
  if (late <= early * (1 + GROWTH_SHARE_MAX) + GROWTH_MIB_MAX) return null;
  return `memory grew from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`;
}
