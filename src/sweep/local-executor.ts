import { Worker } from "node:worker_threads";
import type { Summary } from "../measure/summary.js";
import type { Scenario } from "../scenario/schema.js";
import type { WorkerInput } from "./sweep-worker.js";

/** One run of a sweep. */
export interface SweepTask {
  readonly id: number;
  /** With the seed of the run. */
  readonly scenario: Scenario;
  /** Where to write the run directory; null = nowhere. */
  readonly directory: string | null;
}

export interface TaskResult {
  readonly id: number;
  readonly summary: Summary | null;
  /** Why there is no summary; `isInput`: because of what the user gave. */
  readonly error: { readonly message: string; readonly isInput: boolean } | null;
}

export interface LocalExecutorOptions {
  /** Threads; at least 1. */
  readonly workers: number;
  readonly input: WorkerInput;
  /** Ends the threads at once; tasks that have not ended are left out. */
  readonly signal: AbortSignal;
  readonly onResult: (result: TaskResult) => void;
}

/** The built worker; tests run from the sources, where threads cannot load TypeScript. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/src/sweep/sweep-worker.js" : "./sweep-worker.js",
  import.meta.url,
);

/**
 * Runs tasks on worker threads of this process, in order, each thread taking the next task when it is free.
 * A thread that dies takes only its task with it.
 */
export async function runLocally(tasks: readonly SweepTask[], options: LocalExecutorOptions): Promise<void> {
  const queue = tasks[Symbol.iterator]();
  const threads = Math.min(options.workers, tasks.length);
  // Where a result cannot be taken (a full disk), the other threads have no reason to go on.
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const ends = Array.from({ length: threads }, () =>
    runThread(queue, { ...options, signal }).catch((error: unknown) => {
      failure.abort();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(ends);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Takes tasks from the queue until it is empty, in a thread that is replaced when it dies. */
async function runThread(queue: Iterator<SweepTask>, options: LocalExecutorOptions): Promise<void> {
  const { signal, input, onResult } = options;
  let thread: Worker | null = null;
  try {
    while (!signal.aborted) {
      const next = queue.next();
      if (next.done === true) break;
      thread ??= new Worker(WORKER_FILE, { workerData: input });
      const outcome = await runOn(thread, next.value, signal);
      if (outcome === "aborted") break;
      if (outcome.isThreadDead) thread = null;
      onResult(outcome.result);
    }
  } finally {
    await thread?.terminate();
  }
}

type Outcome = "aborted" | { readonly result: TaskResult; readonly isThreadDead: boolean };

function runOn(thread: Worker, task: SweepTask, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome): void => {
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
      resolve(outcome);
    };
    const die = (message: string): void =>
      settle({
        result: { id: task.id, summary: null, error: { message, isInput: false } },
        isThreadDead: true,
      });
    const onMessage = (result: TaskResult): void => settle({ result, isThreadDead: false });
    const onError = (error: Error): void => die(`the worker thread failed: ${error.message}`);
    const onExit = (code: number): void => die(`the worker thread ended with status ${code}`);
    const onAbort = (): void => settle("aborted");
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    signal.addEventListener("abort", onAbort);
    thread.postMessage(task);
  });
}
