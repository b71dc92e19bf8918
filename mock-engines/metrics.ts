import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EngineConfig, EngineTotals } from "../src/engine/types.js";
import type { DriverGauges } from "./engine-driver.js";
import type { Knobs } from "./knobs.js";
import type { Leg } from "./leg.js";
import { bucketsOf, HISTOGRAMS, type HistogramName } from "./metric-series.js";

const LABELS = ["model_name", "engine"] as const;

/** How a request ended, as vLLM's `finished_reason` label says it. */
export type FinishedReason = "stop" | "length" | "abort" | "error";

/** vLLM's series of one server, all its data-parallel engines included. */
export class MetricsRegistry {
  private readonly common = new Registry();
  /** Series that only one generation of vLLM has. */
  private readonly v0 = new Registry();
  private readonly v1 = new Registry();
  readonly modelName: string;
  readonly histograms: Readonly<Record<HistogramName, Histogram>>;
  readonly running = this.gauge(
    "vllm:num_requests_running",
    "Number of requests in model execution batches.",
  );
  readonly waiting = this.gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.");
  readonly swapped = this.gauge("vllm:num_requests_swapped", "Number of requests swapped to CPU.", this.v0);
  readonly usage = [
    this.gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", this.v1),
    this.gauge("vllm:gpu_cache_usage_perc", "GPU KV-cache usage. 1 means 100 percent usage.", this.v0),
  ];
  readonly queries = [
    this.counter("vllm:prefix_cache_queries_total", "Prefix cache queries, in queried tokens.", this.v1),
    this.counter(
      "vllm:gpu_prefix_cache_queries_total",
      "GPU prefix cache queries, in queried tokens.",
      this.v0,
    ),
  ];
  readonly hits = [
    this.counter("vllm:prefix_cache_hits_total", "Prefix cache hits, in cached tokens.", this.v1),
    this.counter("vllm:gpu_prefix_cache_hits_total", "GPU prefix cache hits, in cached tokens.", this.v0),
  ];
  readonly hitRate = this.gauge(
    "vllm:gpu_prefix_cache_hit_rate",
    "GPU prefix cache block hit rate.",
    this.v0,
  );
  readonly externalQueries = this.counter(
    "vllm:external_prefix_cache_queries_total",
    "External prefix cache queries from KV connector, in queried tokens.",
    this.v1,
  );
  readonly externalHits = this.counter(
    "vllm:external_prefix_cache_hits_total",
    "External prefix cache hits from KV connector, in cached tokens.",
    this.v1,
  );
  readonly promptTokens = this.counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.");
  readonly generationTokens = this.counter(
    "vllm:generation_tokens_total",
    "Number of generation tokens processed.",
  );
  readonly preemptions = this.counter(
    "vllm:num_preemptions_total",
    "Cumulative number of preemption from the engine.",
  );
  readonly success = this.counter(
    "vllm:request_success_total",
    "Count of successfully processed requests.",
    this.common,
    ["finished_reason"],
  );
  readonly failedTransfers = this.counter(
    "vllm:nixl_num_failed_transfers_total",
    "Number of failed NIXL KV Cache transfers.",
  );
  readonly expired = this.counter(
    "vllm:nixl_num_kv_expired_reqs_total",
    "Number of requests that had their KV expire. NOTE: This metric is tracked on the P instance.",
  );
  readonly loadFailures = this.counter(
    "pdbench:kv_load_failures_total",
    "KV that could not be loaded, by what was wrong with the handle or the transfer.",
    this.common,
    ["reason"],
  );
  readonly recomputed = this.counter(
    "pdbench:kv_recomputed_requests_total",
    "Requests that computed their prompt here because their KV could not be loaded.",
  );
  readonly handlesOutstanding = this.gauge(
    "pdbench:kv_handles_outstanding",
    "KV handles given out whose blocks are still held.",
  );
  readonly kvBlocksHeld = this.gauge("pdbench:kv_blocks_in_use", "KV blocks that requests and handles hold.");
  private readonly loras = new Gauge({
    name: "vllm:lora_requests_info",
    help: "Running stats on lora requests.",
    labelNames: ["max_lora", "waiting_lora_adapters", "running_lora_adapters"],
    registers: [this.common],
  });
  private readonly cacheConfig = new Gauge({
    name: "vllm:cache_config_info",
    help: "Information of the LLMEngine CacheConfig",
    labelNames: ["block_size", "enable_prefix_caching", "num_gpu_blocks", "engine"],
    registers: [this.common],
  });

  constructor(modelName: string, maxModelLen: number) {
    this.modelName = modelName;
    this.histograms = Object.fromEntries(
      Object.entries(HISTOGRAMS).map(([key, [name, help]]) => [
        key,
        new Histogram({
          name,
          help,
          labelNames: LABELS,
          buckets: bucketsOf(key as HistogramName, maxModelLen),
          registers: [this.common],
        }),
      ]),
    ) as Record<HistogramName, Histogram>;
  }

  /** The series of one engine; they exist, at zero, from now on. */
  engine(index: number, config: EngineConfig): EngineMetrics {
    this.cacheConfig.set(
      {
        block_size: String(config.blockSize),
        enable_prefix_caching: config.enablePrefixCaching ? "True" : "False",
        num_gpu_blocks: String(config.numGpuBlocks),
        engine: String(index),
      },
      1,
    );
    return new EngineMetrics(this, String(index));
  }

  /** Adapters that requests run and wait with now. */
  setLoras(maxLoras: number, running: readonly string[], waiting: readonly string[]): void {
    this.loras.reset();
    const labels = {
      max_lora: String(maxLoras),
      running_lora_adapters: running.join(","),
      waiting_lora_adapters: waiting.join(","),
    };
    this.loras.set(labels, Date.now() / 1000);
  }

  /** The exposition text in the asked-for generation of names. */
  async text(dialect: Knobs["metrics_dialect"]): Promise<string> {
    const registries = [this.common];
    if (dialect !== "v1") registries.push(this.v0);
    if (dialect !== "v0") registries.push(this.v1);
    return (await Promise.all(registries.map((registry) => registry.metrics()))).join("\n");
  }

  private gauge(name: string, help: string, registry = this.common): Gauge {
    return new Gauge({ name, help, labelNames: LABELS, registers: [registry] });
  }

  private counter(name: string, help: string, registry = this.common, more: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames: [...LABELS, ...more], registers: [registry] });
  }
}

/** The series of one engine. Times are those of the engine, in seconds of its own (virtual) time. */
export class EngineMetrics {
  private readonly registry: MetricsRegistry;
  private readonly labels: { readonly model_name: string; readonly engine: string };
  private readonly tokens: Counter.Internal;
  private readonly ttft: Histogram.Internal<string>;
  private readonly gaps: readonly Histogram.Internal<string>[];
  private seen = { promptTokens: 0, hitTokens: 0, preemptions: 0 };

  constructor(registry: MetricsRegistry, engine: string) {
    this.registry = registry;
    this.labels = { model_name: registry.modelName, engine };
    const { histograms } = registry;
    for (const histogram of Object.values(histograms)) histogram.zero(this.labels);
    this.tokens = registry.generationTokens.labels(this.labels);
    this.ttft = histograms.ttft.labels(this.labels);
    this.gaps = [histograms.timePerOutputToken, histograms.interTokenLatency].map((gap) =>
      gap.labels(this.labels),
    );
    for (const reason of ["stop", "length", "abort", "error"]) {
      registry.success.inc({ ...this.labels, finished_reason: reason }, 0);
    }
    const { promptTokens, generationTokens, failedTransfers, expired, recomputed } = registry;
    for (const counter of [promptTokens, generationTokens, failedTransfers, expired, recomputed]) {
      counter.inc(this.labels, 0);
    }
  }

  /** A token is out at `atMs`; `leg` still has the time of the one before. */
  token(leg: Leg, atMs: number): void {
    this.tokens.inc();
    if (leg.emitted === 1) {
      this.ttft.observe((atMs - leg.arrivalMs) / 1e3);
      this.registry.promptTokens.inc(this.labels, leg.spec.promptTokens);
      return;
    }
    const gap = (atMs - leg.lastTokenMs) / 1e3;
    for (const histogram of this.gaps) histogram.observe(gap);
  }

  /** A leg is over; `maxTokens` and `n` are what its request asked for. */
  finished(leg: Leg, atMs: number, reason: FinishedReason): void {
    this.registry.success.inc({ ...this.labels, finished_reason: reason });
    if (reason === "abort" || leg.emitted === 0) return;
    const { arrivalMs, scheduledMs, firstTokenMs, lastTokenMs, emitted } = leg;
    this.observe("e2e", (atMs - arrivalMs) / 1e3);
    this.observe("queue", (scheduledMs - arrivalMs) / 1e3);
    this.observe("inference", (lastTokenMs - scheduledMs) / 1e3);
    this.observe("prefill", (firstTokenMs - scheduledMs) / 1e3);
    this.observe("decode", (lastTokenMs - firstTokenMs) / 1e3);
    this.observe("promptTokens", leg.spec.promptTokens);
    this.observe("generationTokens", emitted);
    if (emitted > 1) {
      this.observe("requestTimePerOutputToken", (lastTokenMs - firstTokenMs) / 1e3 / (emitted - 1));
    }
    if (leg.source?.kind === "pull" || leg.source?.kind === "storage") {
      this.registry.externalQueries.inc(this.labels, leg.spec.promptTokens);
      this.registry.externalHits.inc(this.labels, leg.externalTokens);
    }
  }

  /** What a request asked for, once per request. */
  asked(n: number, maxTokens: number): void {
    this.observe("paramsN", n);
    this.observe("paramsMaxTokens", maxTokens);
    this.observe("maxNumGenerationTokens", maxTokens);
  }

  kvTransferred(bytes: number, durationMs: number): void {
    this.observe("nixlTime", durationMs / 1e3);
    this.observe("nixlBytes", bytes);
  }

  kvLoadFailed(reason: string): void {
    this.registry.failedTransfers.inc(this.labels);
    this.registry.loadFailures.inc({ ...this.labels, reason });
  }

  kvRecomputed(): void {
    this.registry.recomputed.inc(this.labels);
  }

  kvExpired(count: number): void {
    this.registry.expired.inc(this.labels, count);
  }

  /** Takes over what the engine counts itself; called when somebody looks. */
  update(gauges: DriverGauges, totals: EngineTotals, handlesOutstanding: number): void {
    const { registry, labels, seen } = this;
    registry.running.set(labels, gauges.running);
    registry.waiting.set(labels, gauges.waiting);
    registry.swapped.set(labels, 0);
    for (const usage of registry.usage) usage.set(labels, gauges.kvUsage);
    registry.kvBlocksHeld.set(labels, gauges.blocksInUse);
    registry.handlesOutstanding.set(labels, handlesOutstanding);
    for (const counter of registry.queries) counter.inc(labels, totals.promptTokens - seen.promptTokens);
    for (const counter of registry.hits) counter.inc(labels, totals.hitTokens - seen.hitTokens);
    registry.preemptions.inc(labels, totals.preemptions - seen.preemptions);
    registry.hitRate.set(labels, totals.promptTokens === 0 ? 0 : totals.hitTokens / totals.promptTokens);
    this.seen = {
      promptTokens: totals.promptTokens,
      hitTokens: totals.hitTokens,
      preemptions: totals.preemptions,
    };
  }

  /** The engine has started anew, and its totals with it. */
  restarted(): void {
    this.seen = { promptTokens: 0, hitTokens: 0, preemptions: 0 };
  }

  private observe(name: HistogramName, value: number): void {
    this.registry.histograms[name].observe(this.labels, value);
  }
}
