import type { Command } from "commander";
import { parseSetFlag, SHORT_NAMES, type ShortName } from "../scenario/overrides.js";
import type { TypedSetting } from "../sweep/plan.js";

/** What the help says of each flag that overrides a setting of the scenario. */
const FLAGS: readonly (readonly [ShortName, string, string])[] = [
  ["policy", "NAME", "policy of both legs (pdbench list policies)"],
  ["prefill_policy", "NAME", "policy of the prefill leg"],
  ["decode_policy", "NAME", "policy of the decode leg"],
  ["preset", "NAME", "a public router's settings (pdbench list presets)"],
  ["decider", "NAME", "what decides whether to disaggregate (pdbench list deciders)"],
  ["routing_threshold", "TOKENS", "disaggregate prompts of at least this length; 0 = all"],
  ["cache_threshold", "SHARE", "share of the prompt that must match for cache affinity, 0..1"],
  ["balance_abs_threshold", "N", "load difference above which balance wins over affinity"],
  ["balance_rel_threshold", "X", "load ratio above which balance wins over affinity"],
  ["prefill_workers", "N", "prefill workers"],
  ["decode_workers", "N", "decode workers"],
  ["profile", "NAME", "engine profile of both legs, or a profile YAML (pdbench list profiles)"],
  ["trace", "FILE", "trace to replay, instead of the scenario's workload"],
  ["trace_format", "NAME", "format of the trace; auto looks at its first lines (pdbench list trace-formats)"],
  ["requests", "N", "the first N requests only"],
  ["rate", "RPS", "re-time arrivals to this many requests per second"],
  ["speedup", "X", "divide the time between arrivals by X"],
  ["seed", "N", "seed of everything random"],
];

/** Adds the flags that `simulate`, `sweep` and `optimize` share. */
export function addOverrideFlags(command: Command): Command {
  command.optionsGroup("Settings (they win over the scenario):");
  for (const [name, placeholder, help] of FLAGS) {
    command.option(`--${kebab(name)} <${placeholder}>`, help);
  }
  return command
    .option("--skip-bad-lines", "pass over lines of the trace that cannot be read")
    .option("--no-jitter", "keep arrivals on the ticks of a coarse-grained trace")
    .option(
      "--set <PATH=VALUE>",
      "any other setting, e.g. engine.max_num_seqs=128; may be repeated",
      (value: string, earlier: string[] | undefined) => [...(earlier ?? []), value],
    );
}

/** The settings that the user gave, in the order of the help. */
export function typedSettings(command: Command): TypedSetting[] {
  const options = command.opts<Record<string, unknown>>();
  const typed: TypedSetting[] = [];
  for (const setting of Object.keys(SHORT_NAMES)) {
    const text = options[camel(setting)];
    if (typeof text === "string") typed.push({ setting, text, source: `--${kebab(setting)}` });
  }
  if (options["skipBadLines"] === true) {
    typed.push({ setting: "workload.skip_bad_lines", text: "true", source: "--skip-bad-lines" });
  }
  if (options["jitter"] === false) {
    typed.push({ setting: "workload.jitter", text: "false", source: "--no-jitter" });
  }
  for (const argument of (options["set"] ?? []) as string[]) {
    const { setting, text } = parseSetFlag(argument);
    typed.push({ setting, text, source: `--set ${setting}` });
  }
  return typed;
}

function kebab(name: string): string {
  return name.replaceAll("_", "-");
}

function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
