import { Worker } from "node:worker_threads";
import { WorkError } from "../errors.js";
import type { TaskResult } from "./executor.js";
import type { TaskInput } from "./task-runner.js";

/**
 * A thread that simulates: one task at a time. It starts with the first task, and again with the next one after
 * it has died. It keeps the process alive only while it has a task.
 */
export class SimulationThread {
  private thread: Worker | null = null;

  /**
   * Columns of the trace in shared memory are not copied.
   *
   * @throws WorkError when the thread died over the task, or `end` was called meanwhile
   */
  run(input: TaskInput): Promise<TaskResult> {
    const thread = (this.thread ??= startThread());
    thread.ref();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        thread.off("message", onMessage).off("error", onError).off("exit", onExit);
        thread.unref();
      };
      const die = (message: string): void => {
        settle();
        if (this.thread === thread) this.thread = null;
        reject(new WorkError(message));
      };
      const onMessage = (result: TaskResult): void => {
        settle();
        resolve(result);
      };
      const onError = (error: Error): void => die(`the worker thread failed: ${error.message}`);
      const onExit = (code: number): void => die(`the worker thread ended with status ${code}`);
      thread.on("message", onMessage).on("error", onError).on("exit", onExit);
      thread.postMessage(input);
    });
  }

  /** Ends the thread, in the midst of a task if need be. */
  async end(): Promise<void> {
    await this.thread?.terminate();
    this.thread = null;
  }
}

/** Node 20 loads TypeScript in a thread only when tsx is registered inside it; the build needs none of that. */
function startThread(): Worker {
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./sweep-worker.js", import.meta.url));
  const source = JSON.stringify(new URL("./sweep-worker.ts", import.meta.url).href);
  const load = `import("tsx/esm/api").then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(load, { eval: true });
}
