import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors.js";
import { readLlmservingsimRun } from "./run-formats/llmservingsim-run.js";
import { readOwnRun } from "./run-formats/own-run.js";
import { readVllmBench } from "./run-formats/vllm-bench.js";
import type { RunSettings } from "./run-settings.js";

/** What one run measured of each request; columns in order of arrival, times in ms, NaN where unknown. */
export interface MeasuredRequests {
  readonly count: number;
  readonly inputTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** From the first arrival of the run. */
  readonly arrivalMs: Float64Array;
  /** On the run's own clock: put into the engine's queue, first scheduled, first and last token. */
  readonly queuedMs: Float64Array;
  readonly scheduledMs: Float64Array;
  readonly firstTokenMs: Float64Array;
  readonly lastTokenMs: Float64Array;
  /**
   * From `queuedMs` (runs measured inside the engine) or from the client's send (runs measured outside) to the
   * first token.
   */
  readonly ttftMs: Float64Array;
  /** (last - first) / (output tokens - 1); NaN with one token. */
  readonly tpotMs: Float64Array;
  /** From the same start as `ttftMs` to the last token. */
  readonly e2eMs: Float64Array;
}

/** State of the engine at one time of the run. */
export interface TimelineSample {
  readonly atMs: number;
  readonly running: number;
  readonly waiting: number;
  /** 0..1; NaN where the run did not record it. */
  readonly kvUsage: number;
}

/** A run of a real server. */
export interface MeasuredRun {
  readonly path: string;
  /** Where TTFT and E2E begin: in the engine's queue, or at the client. */
  readonly startsAt: "queue" | "client";
  readonly requests: MeasuredRequests;
  readonly timeline: readonly TimelineSample[];
  readonly settings: RunSettings;
}

/**
 * Reads what was measured of a run: a directory of LLMServingSim's bench (`requests.jsonl`, `meta.json`), a run
 * directory of pdbench (`requests.csv`), or the JSON file that `vllm bench serve --save-result --save-detailed`
 * writes.
 * @throws InputError naming the file, and line and field where there are any.
 */
export function readMeasuredRun(path: string): MeasuredRun {
  if (!existsSync(path)) throw new InputError(`${path}: no such file or directory, expected a measured run`);
  if (!statSync(path).isDirectory()) return readVllmBench(path);
  if (existsSync(join(path, "requests.jsonl"))) return readLlmservingsimRun(path);
  if (existsSync(join(path, "requests.csv"))) return readOwnRun(path);
  throw new InputError(`${path}: expected requests.jsonl (LLMServingSim) or requests.csv (pdbench) in it`);
}

/** The first `count` requests of a run. */
export function firstRequests(requests: MeasuredRequests, count: number): MeasuredRequests {
  const first = <Column extends Int32Array | Float64Array>(column: Column): Column =>
    column.subarray(0, count) as Column;
  return {
    count: Math.min(count, requests.count),
    inputTokens: first(requests.inputTokens),
    outputTokens: first(requests.outputTokens),
    arrivalMs: first(requests.arrivalMs),
    queuedMs: first(requests.queuedMs),
    scheduledMs: first(requests.scheduledMs),
    firstTokenMs: first(requests.firstTokenMs),
    lastTokenMs: first(requests.lastTokenMs),
    ttftMs: first(requests.ttftMs),
    tpotMs: first(requests.tpotMs),
    e2eMs: first(requests.e2eMs),
  };
}
