import type { SettingValue, SweepPoint, SweepResult } from "../sweep/sweep-result.js";
import { shortNameOf, valueWords } from "./setting-words.js";

type Settings = Readonly<Record<string, SettingValue>>;

/** Swept settings that say what comes at the fleet or what it is judged by; nobody chooses them for their goodput. */
const CONDITIONS: ReadonlySet<string> = new Set([
  "rate",
  "speedup",
  "requests",
  "trace",
  "trace_format",
  "profile",
]);

/** True for a setting that is given, not chosen: points are compared only where such settings agree. */
export function isCondition(setting: string): boolean {
  const name = shortNameOf(setting);
  return CONDITIONS.has(name) || /^(workload|slo)\./.test(name) || /^fleet\.(\w+\.)?profile$/.test(name);
}

/** The conditions among the settings, in words; empty where there are none. */
export function conditionWords(settings: Settings): string {
  return Object.entries(settings)
    .filter(([setting]) => isCondition(setting))
    .map(([setting, value]) => `${shortNameOf(setting)} ${valueWords(value)}`)
    .join(", ");
}

/** The settings without the conditions: what there is to choose. */
export function choicesOf(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([setting]) => !isCondition(setting)));
}

/** The points of a sweep by condition, in grid order; one group where nothing but choices was swept. */
export function groupsByCondition(sweep: SweepResult): readonly (readonly SweepPoint[])[] {
  const groups = new Map<string, SweepPoint[]>();
  for (const point of sweep.points) {
    const condition = conditionWords(point.settings);
    const group = groups.get(condition);
    if (group === undefined) groups.set(condition, [point]);
    else group.push(point);
  }
  return [...groups.values()];
}
