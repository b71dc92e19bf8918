/** Figures of a case by name; the unit is in the name, and a rate (`..._per_...`) is better when it is higher. */
export type BenchFigures = Readonly<Record<string, number>>;

/** Something that is measured in a process of its own. */
export interface BenchCase {
  /** @param trace path of the Mooncake conversation trace, or null where it is absent. */
  run(trace: string | null): Promise<BenchFigures>;
}

/** What a piece of work took. */
export interface Taken {
  readonly wallS: number;
  /** CPU time of the whole process, garbage collection and threads included. */
  readonly cpuS: number;
}

/** How long `work` takes once. */
export async function taken(work: () => unknown): Promise<Taken> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallS: (performance.now() - startedMs) / 1000, cpuS: (user + system) / 1e6 };
}

/** Runs until the machine code is what a sweep runs on. */
const WARM_UPS = 8;

/**
 * The rate of `count` things done by `work`, per second of wall time and of CPU time: the median of `runs` after
 * warm-ups, or one run without any where `runs` is 0. CPU time says what the code needs, whatever else the machine does.
 */
export async function rates(
  thing: string,
  count: number,
  runs: number,
  work: () => unknown,
): Promise<BenchFigures> {
  const all: Taken[] = [];
  if (runs > 0) for (let run = 0; run < WARM_UPS; run++) await work();
  for (let run = 0; run < Math.max(1, runs); run++) all.push(await taken(work));
  return {
    [`${thing}_per_s`]: count / median(all.map(({ wallS }) => wallS)),
    [`${thing}_per_cpu_s`]: count / median(all.map(({ cpuS }) => cpuS)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
