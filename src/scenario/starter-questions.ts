import { PROFILES } from "../engine/builtin-profile.js";
import { InputError } from "../errors.js";
import { didYouMean } from "../values/nearest-name.js";
import { GENERATORS } from "../workload/generators/generators.js";
import { isProfileFile } from "./profiles.js";

/** What a first scenario is made from; `pdbench init` asks for each. */
export interface StarterAnswers {
  readonly name: string;
  /** Built-in name, or a profile file. */
  readonly profile: string;
  readonly prefillWorkers: number;
  readonly decodeWorkers: number;
  readonly bandwidthGbps: number;
  /** Trace file, or null where traffic is generated. */
  readonly trace: string | null;
  /** The next three describe generated traffic and are not looked at with a trace. */
  readonly kind: string;
  readonly rate: number;
  readonly requests: number;
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly find: Find;
}

/** What the scenario's sweep compares. */
export const FINDS = ["threshold", "policy", "preset"] as const;
export type Find = (typeof FINDS)[number];

/** One question of `pdbench init`, which is also a flag of it. */
export interface StarterQuestion {
  readonly key: keyof StarterAnswers;
  /** The flag without its dashes. */
  readonly flag: string;
  readonly placeholder: string;
  /** As the terminal asks it. */
  readonly prompt: string;
  /** The answer of an empty line, and of --yes. */
  readonly initial: string;
  /** True where the question is about generated traffic only. */
  readonly ofGenerated?: true;
  /** Reads an answer. @throws InputError, its message without the flag: what was given and what was expected */
  readonly parse: (text: string) => string | number | null;
}

/** The questions, in the order they are asked. */
export const STARTER_QUESTIONS: readonly StarterQuestion[] = [
  question("name", "name", "NAME", "Name of the scenario", "my-fleet", oneLine),
  question(
    "profile",
    "profile",
    "NAME",
    "Model and hardware (pdbench list profiles)",
    "llama-3.1-8b-h100-tp1-bf16",
    profile,
  ),
  question("prefillWorkers", "prefill-workers", "N", "Prefill workers", "4", wholeNumber),
  question("decodeWorkers", "decode-workers", "N", "Decode workers", "4", wholeNumber),
  question(
    "bandwidthGbps",
    "bandwidth-gbps",
    "GBPS",
    "Link of a worker for KV transfers, Gbit/s",
    "200",
    positive,
  ),
  question("trace", "trace", "FILE", "Trace of your traffic (empty: generate some)", "", traceFile),
  {
    ...question(
      "kind",
      "kind",
      "NAME",
      `Kind of traffic (${GENERATORS.map(({ name }) => name).join(", ")})`,
      "mixed",
      oneOf(GENERATORS.map(({ name }) => name)),
    ),
    ofGenerated: true,
  },
  { ...question("rate", "rate", "RPS", "Requests per second", "12", positive), ofGenerated: true },
  { ...question("requests", "requests", "N", "Requests in all", "2000", wholeNumber), ofGenerated: true },
  question("ttftMs", "ttft-ms", "MS", "Objective for the time to first token, ms", "2000", positive),
  question("tpotMs", "tpot-ms", "MS", "Objective for the time per output token, ms", "50", positive),
  question("find", "find", "WHAT", `What to find out (${FINDS.join(", ")})`, "threshold", oneOf(FINDS)),
];

function question(
  key: keyof StarterAnswers,
  flag: string,
  placeholder: string,
  prompt: string,
  initial: string,
  parse: StarterQuestion["parse"],
): StarterQuestion {
  return { key, flag, placeholder, prompt, initial, parse };
}

function oneLine(text: string): string {
  if (text !== "") return text;
  throw new InputError("got nothing, expected a name");
}

function wholeNumber(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InputError(`got ${shown(text)}, expected a whole number of at least 1`);
}

function positive(text: string): number {
  const value = text === "" ? NaN : Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InputError(`got ${shown(text)}, expected a number above 0`);
}

function profile(text: string): string {
  const names = PROFILES.map(({ name }) => name);
  if (names.includes(text) || isProfileFile(text)) return text;
  throw new InputError(
    `got ${shown(text)}, expected a built-in profile (pdbench list profiles) or a YAML file${didYouMean(text, names)}`,
  );
}

function traceFile(text: string): string | null {
  return text === "" ? null : text;
}

function oneOf(names: readonly string[]): (text: string) => string {
  return (text) => {
    if (names.includes(text)) return text;
    throw new InputError(`got ${shown(text)}, expected one of ${names.join(", ")}${didYouMean(text, names)}`);
  };
}

function shown(text: string): string {
  return text === "" ? "nothing" : text;
}
