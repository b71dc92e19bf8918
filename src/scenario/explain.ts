import type { Resolution } from "./resolve.js";
import type { SettingPath } from "./scenario-source.js";
import { overrideOf, valueAt } from "./schema-errors.js";
import { statsIntervalMs } from "./stats-interval.js";
import { settingsOf } from "./to-yaml.js";

/** A setting in force and who gave it: `default`, `FILE:LINE`, a flag, or a preset. */
export interface ExplainedSetting {
  readonly setting: string;
  readonly value: unknown;
  readonly origin: string;
}

/** Every setting of a scenario, in the order of its schema. */
export function explainSettings(resolution: Resolution): ExplainedSetting[] {
  return leavesOf(settingsOf(resolution.scenario), []).map(({ path, value }) => {
    const setting = path.join(".");
    return setting === "signals.stats_interval_ms" && value === null
      ? { setting, ...pollingOf(resolution) }
      : { setting, value, origin: originOf(path, resolution) };
  });
}

/** How often engines are polled where the scenario does not say. */
function pollingOf({ router }: Resolution): Pick<ExplainedSetting, "value" | "origin"> {
  return {
    value: statsIntervalMs(null, router),
    origin: router.statsIntervalMs === null ? "default" : presetOrigin(router),
  };
}

function presetOrigin({ settings }: Resolution["router"]): string {
  return `preset ${String(settings[0]!.value)}`;
}

function leavesOf(value: unknown, path: SettingPath): { path: SettingPath; value: unknown }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function originOf(path: SettingPath, { router, given, sources }: Resolution): string {
  if (path[0] === "router") {
    const inForce = router.settings.find((setting) => setting.path === path.slice(1).join("."));
    if (inForce?.origin === "default") return "default";
    if (inForce?.origin === "preset") return presetOrigin(router);
  }
  for (const candidate of candidatesOf(path)) {
    const override = overrideOf(candidate, sources.overrides);
    if (override !== undefined) return override.source;
    const isGiven = valueAt(given, candidate) !== undefined;
    const place = isGiven ? sources.source.origin(candidate) : null;
    if (place !== null) return place;
  }
  return "default";
}

/** Where a setting may have been given, most specific first. */
function candidatesOf(path: SettingPath): readonly SettingPath[] {
  const [block, part] = path;
  const name = path.at(-1)!;
  if (block === "fleet" && name === "profile") {
    return [path, ["fleet", "profile"], ["fleet", "prefill", "profile"], ["fleet", "decode", "profile"]];
  }
  if (block !== "router") return [path];
  if (part === "prefill_policy" || part === "decode_policy") return [path, ["router", "policy"]];
  return [path, ["router", name], ["router", part!]];
}
