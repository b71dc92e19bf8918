import type { Dispatcher } from "undici";
import type { WorkerStats } from "../routing/types.js";
import type { ProxyClock } from "./clock.js";
import type { ProxyWorker } from "./core.js";

const TEXT_BYTES_MAX = 16 << 20;

/** Metrics that vLLM calls differently from release to release; the first that is there counts. */
const RUNNING = ["vllm:num_requests_running"];
const WAITING = ["vllm:num_requests_waiting"];
const KV_USAGE = ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"];

/** Who keeps what an engine said last, with its time: the router, for one. */
export interface StatsKeeper {
  updateStats(worker: number, stats: WorkerStats): void;
}

/**
 * Polls the engines' `/metrics` for a keeper, all at once, and not again before an answer or its timeout; a
 * failed poll changes nothing.
 */
export class EngineStatsPoller {
  /** Ends the polling. */
  readonly stop: () => void;
  private readonly pending = new Set<number>();

  constructor(keeper: StatsKeeper, workers: readonly ProxyWorker[], intervalMs: number, clock: ProxyClock) {
    const timeoutMs = intervalMs * clock.timeScale;
    const poll = () => {
      workers.forEach((worker, index) => {
        if (worker.left || this.pending.has(index)) return;
        this.pending.add(index);
        const atMs = clock.nowMs();
        fetchText(worker, timeoutMs, (text) => {
          this.pending.delete(index);
          const stats = text === null ? null : engineStats(text, worker.rank, atMs);
          if (stats !== null && workers[index] === worker) keeper.updateStats(index, stats);
        });
      });
    };
    this.stop = clock.every(intervalMs, poll);
  }
}

/**
 * Reads vLLM's exposition text: sums over models and, without a `rank`, over data-parallel engines; KV usage is the highest.
 *
 * @returns null when the text has no `vllm:num_requests_running`.
 */
export function engineStats(text: string, rank: number | null, atMs: number): WorkerStats | null {
  const running = samples(text, RUNNING, rank);
  if (running.length === 0) return null;
  return {
    running: sum(running),
    waiting: sum(samples(text, WAITING, rank)),
    kvUsage: Math.max(0, ...samples(text, KV_USAGE, rank)),
    atMs,
  };
}

function samples(text: string, names: readonly string[], rank: number | null): number[] {
  for (const name of names) {
    const values: { readonly value: number; readonly engine: string | undefined }[] = [];
    for (const [, labels, value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, "gm"))) {
      values.push({ value: Number(value), engine: /engine="(\d+)"/.exec(labels ?? "")?.[1] });
    }
    const ofRank = values.filter(
      ({ engine }) => rank === null || engine === undefined || engine === String(rank),
    );
    if (values.length > 0) return ofRank.map(({ value }) => value);
  }
  return [];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function fetchText(worker: ProxyWorker, timeoutMs: number, onText: (text: string | null) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let status = 0;
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_, code) => {
      status = code;
    },
    onResponseData: (controller, chunk) => {
      bytes += chunk.length;
      if (bytes > TEXT_BYTES_MAX) controller.abort(new Error("too long"));
      else chunks.push(chunk);
    },
    onResponseEnd: () => onText(status === 200 ? Buffer.concat(chunks).toString() : null),
    onResponseError: () => onText(null),
  };
  worker.pool.dispatch(
    { path: `${worker.basePath}/metrics`, method: "GET", headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    handler,
  );
}
