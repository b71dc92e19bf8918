import { stringify } from "yaml";
import type { Find, StarterAnswers } from "./starter-questions.js";

/**
 * A first scenario, with a comment on every line that a newcomer will want to change.
 *
 * @param answers paths in them are as the file is to have them
 * @param schema path or URL of the JSON Schema, for editors
 */
export function starterYaml(answers: StarterAnswers, schema: string): string {
  const { name, profile, prefillWorkers, decodeWorkers, bandwidthGbps, ttftMs, tpotMs, find } = answers;
  return `# yaml-language-server: $schema=${schema}
# ${QUESTION[find]}
name: ${scalar(name)}

# The workers. A profile holds a model's step times and KV capacity on its hardware: pdbench list profiles,
# or make one of your own: pdbench calibrate --help.
fleet:
  prefill: { workers: ${prefillWorkers}, profile: ${scalar(profile)} }
  decode: { workers: ${decodeWorkers} }

# vLLM's settings under vLLM's names, for both legs. These are the defaults; pdbench simulate FILE --explain
# prints every setting in force and where it comes from.
engine:
  block_size: 16
  max_num_seqs: 256
  max_num_batched_tokens: 8192
  enable_prefix_caching: true

# How KV blocks move from prefill to decode workers.
network:
  kv_transfer: { bandwidth_gbps: ${bandwidthGbps}, latency_ms: 2 }

${workload(answers)}
# Whether to disaggregate (decider) and where each leg goes (policies): pdbench list deciders, pdbench list policies.
# A prompt of at least routing_threshold tokens goes to a prefill worker first; 0 = every prompt.
router:
  decider: { kind: threshold, routing_threshold: 2048 }
  prefill_policy: cache_aware
  decode_policy: least_loaded

# A request is good when it meets all of these; goodput counts good requests.
slo: { ttft_ms: ${ttftMs}, tpot_ms: ${tpotMs} }

seed: 1

# What pdbench sweep varies: lists, or ranges such as 0:8192:1024 and 512:16384:x2. Every point runs under each seed.
sweep:
${SWEEP[find]}
  seeds: 3
`;
}

const QUESTION: Readonly<Record<Find, string>> = {
  threshold: "From which prompt length on is it worth a prefill worker?",
  policy: "Which policy should place the legs?",
  preset: "Which public router, with the settings it ships with, suits this traffic?",
};

const SWEEP: Readonly<Record<Find, string>> = {
  threshold: "  routing_threshold: [0, 512, 1024, 2048, 4096, 8192, 16384]",
  policy: "  policy: [round_robin, least_loaded, power_of_two, cache_aware]",
  preset: `  # A preset is a whole router and stands in for the block above: pdbench list presets.
  preset: [vllm-router, production-stack, llm-d, dynamo, aibrix, sglang-gateway, ray-serve]`,
};

function workload({ trace, kind, rate, requests }: StarterAnswers): string {
  if (trace !== null) {
    return `# The requests. The format is recognised (pdbench list trace-formats); paths are relative to this file.
workload:
  trace: ${scalar(trace)}
  # requests: 2000     # the first N only
  # speedup: 2         # arrivals twice as fast; or rate: 12, requests per second
`;
  }
  return `# The requests: generated ones, until you have a trace (workload: { trace: my-trace.jsonl }).
# pdbench trace generate --kind ${kind} --parameters lists what can be set beside the rate.
workload:
  generate: { kind: ${kind}, rate: ${rate} }
  requests: ${requests}
`;
}

/** A text as YAML reads it back: quoted where it must be. */
function scalar(text: string): string {
  const plain = stringify(text, { lineWidth: 0 }).trimEnd();
  // Inside { } a comma or a brace would end the value.
  return /[,{}[\]\n]/.test(plain) && !plain.startsWith('"') ? JSON.stringify(text) : plain;
}
