import type { ParameterValue } from "../../routing/parameters.js";
import {
  differences,
  placeholders,
  type Difference,
  type Emission,
  type EmitTarget,
  type Reasons,
} from "./emission.js";
import { alwaysDisaggregates, choiceOf, settingsOfBlock, type Wanted } from "./wanted.js";

const STRATEGIES = ["round_robin", "least_loaded"];
const STRATEGY = "one strategy for both legs, round_robin or least_loaded";

const REASONS: Reasons = {
  "decider.": "it decides by the length of the prompt alone",
  prefill_policy: STRATEGY,
  decode_policy: STRATEGY,
  "prefill.ties": "of equally loaded backends the first listed is taken",
  "decode.ties": "of equally loaded backends the first listed is taken",
  "decode.keyless": "requests without a session go by the request rate",
  order: "the decode backend is chosen first",
  without_prefill_worker: "without a prefill backend requests fail with 503",
};

/** A routing logic: its flags, and what it does in a `router` block. */
interface Logic {
  readonly product: string;
  readonly flags: readonly (readonly string[])[];
  readonly block: Readonly<Record<string, ParameterValue | Readonly<Record<string, ParameterValue>>>>;
  readonly notes: readonly string[];
}

/** vllm-project/production-stack: `parsers/parser.py` of main (a6c01db0), and of pull request #890 (6618cfb6). */
export const productionStack: EmitTarget = {
  name: "production-stack",
  summary: "command line of vllm-project/production-stack's router",
  emit(wanted: Wanted): Emission {
    const logic = logicFor(wanted);
    const interval = statsInterval(wanted);
    return {
      product: logic.product,
      form: {
        command: {
          program: ["python3", "-m", "vllm_router.app"],
          flags: [...backendFlags(wanted), ...logic.flags, ...interval.flags],
        },
      },
      differences: [...differences(wanted, settingsOfBlock(logic.block), REASONS), ...interval.differences],
      notes: logic.notes,
    };
  },
};

function logicFor({ config }: Wanted): Logic {
  const { decider, prefillPolicy, decodePolicy } = config;
  if (decider.name === "never") return withoutDisaggregation(decodePolicy.name, decodePolicy.params);
  const strategy = [prefillPolicy.name, decodePolicy.name].find((name) => STRATEGIES.includes(name));
  if (alwaysDisaggregates(config) && strategy !== "least_loaded") {
    return {
      product: "production-stack main (a6c01db0)",
      flags: [["--routing-logic", "disaggregated_prefill_orchestrated"]],
      block: { preset: "production-stack" },
      notes: [],
    };
  }
  const threshold = decider.name === "threshold" ? decider.params["routing_threshold"]! : 0;
  return {
    product: "production-stack with pull request #890 (6618cfb6)",
    flags: [
      ["--routing-logic", "disaggregated_prefill"],
      ["--routing-threshold", String(threshold)],
      ["--load-balancing-strategy", strategy ?? "round_robin"],
    ],
    block: {
      preset: "production-stack-conditional",
      decider: { kind: "threshold", routing_threshold: threshold },
      policy: strategy ?? "round_robin",
    },
    notes: [
      "--routing-threshold and --load-balancing-strategy are in #890 only; it estimates tokens as characters / 4",
      ...(strategy === "least_loaded"
        ? [
            "as #890 is wired, least_loaded never sees statistics and takes turns instead: see that fixed first",
          ]
        : []),
    ],
  };
}

function withoutDisaggregation(policy: string, params: Readonly<Record<string, ParameterValue>>): Logic {
  const product = "production-stack main (a6c01db0)";
  if (policy === "consistent_hash") {
    return {
      product,
      flags: [
        ["--routing-logic", "session"],
        ["--session-key", "x-session-id"],
      ],
      block: { decider: "never", policy, keyless: "random" },
      notes: ["its ring hashes with MD5: sessions go to other backends than here, as evenly"],
    };
  }
  if (policy === "prefix_aware") {
    const length = params["prefix_min_match_length"]!;
    return {
      product,
      flags: [
        ["--routing-logic", "prefixaware"],
        ["--prefix-min-match-length", String(length)],
      ],
      block: { decider: "never", policy, prefix_min_match_length: length },
      notes: ["its matches are counted in characters, 128 at a time"],
    };
  }
  return {
    product,
    flags: [["--routing-logic", "roundrobin"]],
    block: { decider: "never", policy: "round_robin" },
    notes: [],
  };
}

function backendFlags({ config, workers }: Wanted): (readonly string[])[] {
  const decode = placeholders("decode", workers.decode);
  if (config.decider.name === "never") {
    return [
      ["--service-discovery", "static"],
      ["--static-backends", decode.join(",")],
      ["--static-models", decode.map(() => "MODEL").join(",")],
    ];
  }
  const prefill = placeholders("prefill", workers.prefill);
  const all = [...prefill, ...decode];
  return [
    ["--service-discovery", "static"],
    ["--static-backends", all.join(",")],
    ["--static-models", all.map(() => "MODEL").join(",")],
    ["--static-model-labels", [...prefill.map(() => "prefill"), ...decode.map(() => "decode")].join(",")],
    ["--prefill-model-labels", "prefill"],
    ["--decode-model-labels", "decode"],
  ];
}

/** Scraping takes whole seconds. */
function statsInterval({ config, statsIntervalMs }: Wanted): {
  readonly flags: readonly (readonly string[])[];
  readonly differences: readonly Difference[];
} {
  const usesStats = (["prefill", "decode"] as const).some(
    (leg) => choiceOf(config, leg).name === "least_loaded",
  );
  if (!usesStats || statsIntervalMs === null || config.decider.name === "never") {
    return { flags: [], differences: [] };
  }
  const seconds = statsIntervalMs / 1000;
  if (Number.isInteger(seconds) && seconds >= 1) {
    return { flags: [["--engine-stats-interval", String(seconds)]], differences: [] };
  }
  return {
    flags: [["--engine-stats-interval", "1"]],
    differences: [
      {
        setting: "signals.stats_interval_ms",
        wanted: statsIntervalMs,
        instead: 1000,
        reason: "--engine-stats-interval takes whole seconds",
      },
    ],
  };
}
