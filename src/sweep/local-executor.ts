import { Worker } from "node:worker_threads";
import type { Executor, ExecutorContext, SweepTask, TaskResult } from "./executor.js";
import type { WorkerInput } from "./sweep-worker.js";

/**
 * Runs tasks on `workers` threads of this process (at least 1), in order, each thread taking the next task when
 * it is free. A thread that dies takes only its task with it.
 */
export function localExecutor(workers: number): Executor {
  return async (tasks, context) => {
    const queue = tasks[Symbol.iterator]();
    const threads = Math.min(workers, tasks.length);
    // Where a result cannot be taken (a full disk), the other threads have no reason to go on.
    const failure = new AbortController();
    const signal = AbortSignal.any([context.signal, failure.signal]);
    const ends = Array.from({ length: threads }, () =>
      runThread(queue, { ...context, signal }).catch((error: unknown) => {
        failure.abort();
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(ends);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
}

/** Takes tasks from the queue until it is empty, in a thread that is replaced when it dies. */
async function runThread(queue: Iterator<SweepTask>, context: ExecutorContext): Promise<void> {
  const { signal, traces, onResult } = context;
  let thread: Worker | null = null;
  try {
    while (!signal.aborted) {
      const next = queue.next();
      if (next.done === true) break;
      thread ??= startThread({ traces });
      const outcome = await runOn(thread, next.value, signal);
      if (outcome === "aborted") break;
      if (outcome.isThreadDead) thread = null;
      onResult(outcome.result);
    }
  } finally {
    await thread?.terminate();
  }
}

/** Node 20 loads TypeScript in a thread only when tsx is registered inside it; the build needs none of that. */
function startThread(workerData: WorkerInput): Worker {
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./sweep-worker.js", import.meta.url), { workerData });
  }
  const source = JSON.stringify(new URL("./sweep-worker.ts", import.meta.url).href);
  const load = `import("tsx/esm/api").then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(load, { eval: true, workerData });
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
