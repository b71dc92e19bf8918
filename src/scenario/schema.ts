import { z } from "zod";
import { DEFAULT_VLLM_VERSION, VLLM_VERSIONS, type VllmVersion } from "../engine/vllm-versions.js";
import { ARRIVAL_PROCESSES, SESSION_MODES } from "../workload/arrivals.js";

/**
 * The scenario as a user writes it and as a run sees it: the same keys (snake_case, vLLM's and the routers'
 * names), before and after every default is filled in. The message of a check says what was expected;
 * `source-error.ts` puts file, line, field and value before it.
 */

const count = (minimum: number): z.ZodInt => {
  const expected = minimum === 0 ? "a whole number, 0 or more" : `a whole number of at least ${minimum}`;
  return z.int(expected).min(minimum, expected);
};
const positive = z.number("a number above 0").positive("a number above 0");
const atLeastZero = z.number("a number, 0 or more").min(0, "a number, 0 or more");
const flag = z.boolean("true or false");
const text = z.string("text").min(1, "text that is not empty");

const blocks = z.union([count(2), z.literal("unlimited")], 'a whole number of at least 2, or "unlimited"');

/** What `workload.format` may be; `auto` looks at the first lines. */
export const TRACE_FORMATS = [
  "auto",
  "mooncake",
  "azure",
  "burstgpt",
  "bailian",
  "llmservingsim",
  "pdbench",
] as const;

const engineFields = {
  vllm_version: z
    .enum(Object.keys(VLLM_VERSIONS) as [VllmVersion])
    .default(DEFAULT_VLLM_VERSION)
    .describe("vLLM release whose scheduler rules apply."),
  block_size: count(1).default(16).describe("Tokens of one KV block."),
  max_num_seqs: count(1).default(256).describe("Sequences in one step at most."),
  max_num_batched_tokens: count(1).default(8192).describe("Token budget of one step."),
  long_prefill_token_threshold: count(0)
    .default(0)
    .describe("Longest chunk of one prefill in a step; 0 = no limit but the budget."),
  max_model_len: count(1)
    .nullable()
    .default(null)
    .describe("Longest prompt plus output, tokens; null = 131072."),
  enable_prefix_caching: flag.default(true).describe("Keep KV blocks for requests with the same prefix."),
  enable_chunked_prefill: flag
    .default(true)
    .describe("Split prompts that are longer than what is left of the token budget."),
  scheduling_policy: z.enum(["fcfs", "priority"]).default("fcfs").describe("Order of the waiting queue."),
  async_scheduling: flag
    .nullable()
    .default(null)
    .describe("Schedule the next step while this one runs; null = the release's default."),
  num_gpu_blocks: blocks
    .nullable()
    .default(null)
    .describe('KV blocks of one worker; null = the capacity of its profile; "unlimited".'),
};

const engineSchema = z.strictObject(engineFields);

/** The same settings without defaults: what one leg has different. */
const engineOverridesSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(engineFields).map(([name, field]) => [
      name,
      field.unwrap().optional().describe(field.description!),
    ]),
  ) as { [K in keyof typeof engineFields]: z.ZodOptional<ReturnType<(typeof engineFields)[K]["unwrap"]>> },
);

const legFields = {
  profile: text
    .optional()
    .describe("Engine profile: a name from `pdbench list profiles`, or a path to a profile YAML file."),
  engine: engineOverridesSchema
    .prefault({})
    .describe("Engine settings of this leg that differ from `engine`."),
  kv_blocks: blocks.optional().describe("KV blocks of each worker of this leg; overrides num_gpu_blocks."),
};

const fleetSchema = z.strictObject({
  profile: text.optional().describe("Engine profile of both legs."),
  prefill: z
    .strictObject({
      workers: count(0)
        .default(1)
        .describe("Prefill workers; 0 only with a decider that never disaggregates."),
      ...legFields,
    })
    .prefault({})
    .describe("Workers that compute prompts and hand the KV cache over."),
  decode: z
    .strictObject({ workers: count(1).default(1).describe("Decode workers."), ...legFields })
    .prefault({})
    .describe("Workers that generate; they also compute the prompts that are not disaggregated."),
});

const networkSchema = z.strictObject({
  kv_transfer: z
    .strictObject({
      bandwidth_gbps: positive.default(200).describe("One direction of a worker's link, Gbit/s."),
      latency_ms: atLeastZero.default(2).describe("Start of a KV transfer until its first byte, ms."),
      contention: flag.default(true).describe("Transfers of one sender or one receiver share its link."),
    })
    .prefault({})
    .describe("How KV blocks move from prefill to decode workers."),
  hop_ms: atLeastZero.default(0).describe("Router to worker, one way, ms."),
});

const workloadSchema = z.strictObject({
  trace: text
    .nullable()
    .default(null)
    .describe("Trace file (JSONL or CSV, .gz accepted), relative to this file."),
  format: z
    .enum(TRACE_FORMATS)
    .default("auto")
    .describe("Format of the trace; auto looks at its first lines."),
  skip_bad_lines: flag.default(false).describe("Pass over lines of the trace that cannot be read."),
  generate: z
    .looseObject({ kind: text.describe("The generator.") })
    .nullable()
    .default(null)
    .describe("Generated requests instead of a trace."),
  requests: count(1).nullable().default(null).describe("The first N requests only."),
  rate: positive.nullable().default(null).describe("Re-time arrivals to this many requests per second."),
  arrival: z.enum(ARRIVAL_PROCESSES).default("poisson").describe("How re-timed arrivals are spaced."),
  cv: positive.default(1).describe("Coefficient of variation of gamma arrivals; 1 = Poisson."),
  speedup: positive.default(1).describe("Divide the time between arrivals by this."),
  jitter: flag.default(true).describe("Spread arrivals within the ticks of a coarse-grained trace."),
  concurrency: count(0).default(0).describe("Closed loop with this many open requests; 0 = open loop."),
  sessions: z
    .enum(SESSION_MODES)
    .default("auto")
    .describe(
      "linked: a later turn is sent when the one before has ended; auto: where think times are known.",
    ),
  think_ms: atLeastZero
    .nullable()
    .default(null)
    .describe("Think time before later turns of a session, ms; null = the trace's."),
});

const signalsSchema = z.strictObject({
  stats_interval_ms: atLeastZero
    .nullable()
    .default(null)
    .describe(
      "Time between two polls of the engines' statistics by the router, ms; 0 = read at every decision; null = " +
        "as the preset's product does, 1000 without one.",
    ),
  stats_delay_ms: atLeastZero.default(0).describe("Age of the statistics when the router gets them, ms."),
  kv_event_delay_ms: atLeastZero
    .default(0)
    .describe(
      "From the change of an engine's prefix cache to the index of a router that goes by KV events, ms.",
    ),
  kv_event_loss: z
    .number("a number from 0 to 1")
    .min(0, "a number from 0 to 1")
    .max(1, "a number from 0 to 1")
    .default(0)
    .describe("Share of KV event messages that never reach the router, 0..1."),
});

const sloSchema = z.strictObject({
  ttft_ms: positive.nullable().default(null).describe("Time to first token, ms."),
  tpot_ms: positive.nullable().default(null).describe("Time per output token after the first, ms."),
  e2e_ms: positive.nullable().default(null).describe("Whole request, ms."),
});

/** The `router` block is checked by the routing core, which knows what each policy and decider takes. */
const routerSchema = z.record(z.string(), z.unknown(), "a block of settings");

/** Faults and other knobs, checked by mock-engines/knobs.ts. */
const mockEnginesSchema = z.record(z.string(), z.unknown(), "a block of knobs");

/** Lists, ranges and the number of seeds; checked by `axes.ts`. */
const sweepSchema = z.record(z.string(), z.unknown(), "a block of settings, each with a list of values");

export const scenarioSchema = z.strictObject({
  name: text.default("scenario").describe("Name of the scenario in results and reports."),
  fleet: fleetSchema.prefault({}).describe("The workers."),
  engine: engineSchema.prefault({}).describe("Engine settings of both legs; names and meaning are vLLM's."),
  network: networkSchema.prefault({}).describe("Links between router and workers."),
  workload: workloadSchema
    .prefault({})
    .describe("The requests: a trace or a generator, and how they arrive."),
  router: routerSchema.default({}).describe("Routing: preset, decider, policies and their parameters."),
  signals: signalsSchema.prefault({}).describe("What the router hears of the engines' state, and when."),
  slo: sloSchema.prefault({}).describe("Service-level objectives that goodput is measured against."),
  seed: count(0).default(1).describe("Seed of everything random in the run."),
  timeline_interval_ms: atLeastZero
    .default(0)
    .describe("Time between samples of the workers' state, ms; 0 = chosen from the length of the run."),
  mock_engines: mockEnginesSchema
    .optional()
    .describe("Faults and other knobs of `pdbench mock-engines`; the simulator has none of them."),
  sweep: sweepSchema.optional().describe("Settings to vary: lists or START:END:STEP ranges, and seeds."),
});

/** A scenario after its schema's defaults, before profiles and the router are resolved. */
export type ParsedScenario = z.output<typeof scenarioSchema>;

/** Engine settings in force on a leg. */
export type EngineSettings = z.output<typeof engineSchema>;

export type EngineOverrides = z.output<typeof engineOverridesSchema>;

/** KV blocks of a worker, or no limit. */
export type KvBlocks = number | "unlimited";

export interface LegFleet {
  readonly workers: number;
  /** Name of a built-in profile, or absolute path of a profile file. */
  readonly profile: string;
  readonly engine: EngineOverrides;
  readonly kv_blocks?: KvBlocks;
}

/**
 * A scenario with every default filled in: all that one run depends on. Paths are absolute here and made
 * relative again when the scenario is written down.
 */
export interface Scenario extends Omit<ParsedScenario, "fleet" | "sweep"> {
  readonly fleet: { readonly prefill: LegFleet; readonly decode: LegFleet };
}
