import type { Summary, WorkerSummary } from "../measure/summary.js";

/** One figure of two runs of the same workload. */
export interface ComparedFigure {
  readonly figure: string;
  /** `ms` differ by a ratio, shares by points. */
  readonly unit: "ms" | "share";
  readonly first: number | null;
  readonly second: number | null;
  /** (second - first) / first for times, second - first for shares; null where a figure is missing. */
  readonly difference: number | null;
}

const LATENCIES = [
  ["TTFT", "ttft_ms"],
  ["TPOT", "tpot_ms"],
  ["ITL", "itl_ms"],
] as const;

/**
 * The figures on which a simulated and a live run of one workload must agree: mean and p90 of TTFT, TPOT and
 * ITL, hit rate, share of requests disaggregated, and each worker's share of its leg's requests. Workers are
 * matched by their place in the fleet, since a simulation names them and a live run knows their URLs.
 */
export function compareRuns(first: Summary, second: Summary): ComparedFigure[] {
  const figures: ComparedFigure[] = [];
  for (const [name, key] of LATENCIES) {
    for (const statistic of ["mean", "p90"] as const) {
      const [a, b] = [first[key][statistic], second[key][statistic]];
      const difference = a === null || b === null || a === 0 ? null : (b - a) / a;
      figures.push({ figure: `${name} ${statistic}`, unit: "ms", first: a, second: b, difference });
    }
  }
  figures.push(share("hit rate", first.cache.hit_rate, second.cache.hit_rate));
  figures.push(share("disaggregated", disaggregated(first), disaggregated(second)));
  for (const role of ["prefill", "decode"] as const) {
    const [a, b] = [sharesOf(first.workers, role), sharesOf(second.workers, role)];
    for (let place = 0; place < Math.max(a.length, b.length); place++) {
      figures.push(share(`${role} worker ${place}`, a[place] ?? null, b[place] ?? null));
    }
  }
  return figures;
}

function share(figure: string, first: number | null, second: number | null): ComparedFigure {
  const difference = first === null || second === null ? null : second - first;
  return { figure, unit: "share", first, second, difference };
}

function disaggregated({ routing }: Summary): number | null {
  const routed = routing.disaggregated + routing.decode_only;
  return routed === 0 ? null : routing.disaggregated / routed;
}

function sharesOf(workers: readonly WorkerSummary[], role: WorkerSummary["role"]): number[] {
  const requests = workers.filter((worker) => worker.role === role).map((worker) => worker.requests);
  const total = requests.reduce((sum, count) => sum + count, 0);
  return total === 0 ? [] : requests.map((count) => count / total);
}
