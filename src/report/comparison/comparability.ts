import type { Summary } from "../../measure/summary.js";
import { leavesOf } from "../../sweep/fingerprint.js";
import { formatCount } from "../format.js";
import { shortNameOf } from "../setting-words.js";
import type { ComparedRun, Side } from "./compared-runs.js";
import { settingsOf } from "./compared-runs.js";

/** A setting that is not the same in every side, as text; `not set` where a side lacks it. */
export interface SettingDifference {
  readonly setting: string;
  readonly values: readonly string[];
}

/** Of a live run, only what was sent is known: the rest of its settings are those of a scenario that did not run. */
const KNOWN_OF_LIVE = /^(workload|slo)\.|^(seed|replay)(\.|$)/;
const UNSET = "not set";

/** The settings that differ, by short name where they have one. */
export function settingDifferences(sides: readonly Side[]): readonly SettingDifference[] {
  const leaves = sides.map(({ runs }) => knownSettings(runs[0]!));
  const withSeeds = sides.some(({ runs }) => runs.length > 1);
  const paths = [...new Set(leaves.flatMap((one) => [...one.keys()]))].filter(
    (path) => path !== "name" && !(withSeeds && path === "seed"),
  );
  return paths.flatMap((path) => {
    // What one kind of run does not have at all is no difference of settings.
    const isOfLive = KNOWN_OF_LIVE.test(path);
    const values = sides.map(({ runs }, i) =>
      runs[0]!.isLive && !isOfLive ? "unknown (live)" : words(leaves[i]!.get(path)),
    );
    const known = new Set(values.filter((value) => value !== "unknown (live)"));
    return known.size < 2 ? [] : [{ setting: shortNameOf(path), values }];
  });
}

/** Why figures of these sides may not be comparable, a sentence each. */
export function warningsFor(sides: readonly Side[]): readonly string[] {
  const runs = sides.flatMap((side) => side.runs);
  const warnings = CHECKS.flatMap(({ what, of }) => {
    const known = runs.flatMap((run) => {
      const value = of(run);
      return value === null ? [] : [{ run, value }];
    });
    const [first] = known;
    const other = known.find(({ value }) => value !== first!.value);
    if (first === undefined || other === undefined) return [];
    return [`${what}: ${first.value} in ${first.run.name}, ${other.value} in ${other.run.name}.`];
  });
  return [...warnings, ...givenSettingWarnings(sides)];
}

interface Check {
  readonly what: string;
  /** null where the run does not say. */
  readonly of: (run: ComparedRun) => string | null;
}

const CHECKS: readonly Check[] = [
  {
    what: "Not the same workload",
    of: ({ summary }) =>
      summary.workload_hash === undefined ? null : `hash ${summary.workload_hash.slice(0, 12)}`,
  },
  {
    what: "Different numbers of requests",
    of: ({ summary }) => formatCount(summary.requests.total),
  },
  {
    what: "Judged by different objectives",
    of: ({ summary }) => sloText(summary),
  },
  {
    what: "Different hardware profiles, so the difference is not the routing's alone",
    of: (run) => (run.isLive ? null : profileText(run.summary)),
  },
  {
    what: "Made by different versions of pdbench",
    of: ({ summary }) => summary.versions?.pdbench ?? null,
  },
  {
    what: "Different shares of requests completed, and latencies are of those that did",
    of: ({ summary: { requests } }) => `${formatCount(requests.completed)} of ${formatCount(requests.total)}`,
  },
];

/** Load and the like are given, not chosen: where they differ, so would any router's figures. */
function givenSettingWarnings(sides: readonly Side[]): readonly string[] {
  const given = settingDifferences(sides).filter(({ setting }) =>
    /^(workload\.(?!trace$)|rate$|speedup$|arrival$)/.test(setting),
  );
  if (given.length === 0) return [];
  const list = given.slice(0, 4).map(({ setting, values }) => `${setting} ${values.join(" against ")}`);
  const more = given.length > list.length ? ` and ${given.length - list.length} more` : "";
  return [`The load is not the same: ${list.join(", ")}${more}.`];
}

function knownSettings(run: ComparedRun): ReadonlyMap<string, unknown> {
  const leaves = leavesOf(settingsOf(run.summary));
  if (!run.isLive) return leaves;
  return new Map([...leaves].filter(([path]) => KNOWN_OF_LIVE.test(path)));
}

function words(value: unknown): string {
  if (value === undefined) return UNSET;
  if (typeof value === "number" && Number.isInteger(value)) return formatCount(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function sloText({ goodput: { slo } }: Summary): string {
  const set = Object.entries(slo as unknown as Record<string, number | null>).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${formatCount(value)}`],
  );
  return set.length === 0 ? "none" : set.join(" and ");
}

function profileText(summary: Summary): string | null {
  const fleet = settingsOf(summary)["fleet"] as Record<string, { profile?: unknown } | undefined> | undefined;
  const names = [fleet?.["prefill"]?.profile, fleet?.["decode"]?.profile].filter(
    (name) => typeof name === "string",
  );
  return names.length === 0 ? null : [...new Set(names)].join(" and ");
}
