import { SHORT_NAMES } from "../scenario/overrides.js";
import type { SettingValue } from "../sweep/sweep-result.js";
import { formatCount } from "./format.js";

/** What tells the points of several result directories apart; a name, not a setting. */
export const RUN_AXIS = "run";

type Settings = Readonly<Record<string, SettingValue>>;

/** The flag-like name of a setting (`routing_threshold`), or its dotted path where it has none. */
export function shortNameOf(setting: string): string {
  for (const [name, paths] of Object.entries(SHORT_NAMES)) {
    if (paths.length === 1 && paths[0] === setting) return name;
  }
  return setting;
}

/** A value as people read it: `16,384`, `cache_aware`, `none`. */
export function valueWords(value: SettingValue): string {
  if (value === null) return "none";
  return typeof value === "number" && Number.isInteger(value) ? formatCount(value) : String(value);
}

/** One line that tells a point from the others: `routing_threshold=2048 policy=cache_aware`. */
export function pointName(settings: Settings): string {
  const names = Object.keys(settings);
  if (names.length === 1 && names[0] === RUN_AXIS) return String(settings[RUN_AXIS]);
  return names.length === 0
    ? "the only point"
    : names.map((name) => `${shortNameOf(name)}=${String(settings[name])}`).join(" ");
}

/** Plain language for settings, a clause each: `disaggregate prompts of 2,048 tokens or more; prefill policy ...`. */
export function settingsWords(settings: Settings): string {
  return Object.entries(settings)
    .map(([setting, value]) => clause(shortNameOf(setting), value))
    .join("; ");
}

/** The flags of `pdbench simulate` that stand for the settings: `--routing-threshold 2048 --set a.b=c`. */
export function settingsFlags(settings: Settings): string {
  return Object.entries(settings)
    .filter(([setting]) => setting !== RUN_AXIS)
    .map(([setting, value]) => {
      const name = shortNameOf(setting);
      const isFlag = Object.hasOwn(SHORT_NAMES, name);
      return isFlag
        ? `--${name.replaceAll("_", "-")} ${shellWord(String(value))}`
        : `--set ${shellWord(`${name}=${String(value)}`)}`;
    })
    .join(" ");
}

/** A word as a shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** True for settings under which every request is disaggregated. */
export function alwaysDisaggregates(settings: Settings): boolean {
  return Object.entries(settings).some(([setting, value]) => {
    const name = shortNameOf(setting);
    return (name === "routing_threshold" && value === 0) || (name === "decider" && value === "always");
  });
}

const DECIDERS: Readonly<Record<string, string>> = {
  always: "always disaggregate",
  never: "never disaggregate",
};

function clause(name: string, value: SettingValue): string {
  const words = valueWords(value);
  switch (name) {
    case "routing_threshold":
      if (typeof value !== "number") break;
      return value === 0 ? "always disaggregate" : `disaggregate prompts of ${words} tokens or more`;
    case "decider":
      return DECIDERS[words] ?? `decider ${words}`;
    case "policy":
      return `policy ${words} on both legs`;
    case "prefill_policy":
    case "decode_policy":
      return `${name.replace("_", " ")} ${words}`;
    case "prefill_workers":
    case "decode_workers":
      return `${words} ${name.replace("_", " ")}`;
    case "rate":
      return `${words} requests/s`;
    default:
  }
  return name === RUN_AXIS ? `use ${words}` : `${name} ${words}`;
}
