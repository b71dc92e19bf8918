import type { LegBranches } from "../measure/records.js";

/** The choices of each leg among a router's `branchCounts`. */
export function legBranchesOf(counts: Readonly<Record<string, number>>): LegBranches {
  const of = (leg: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(counts)
        .filter(([name]) => name.startsWith(`${leg}.`))
        .map(([name, count]) => [name.slice(leg.length + 1), count]),
    );
  return { prefill: of("prefill"), decode: of("decode") };
}
