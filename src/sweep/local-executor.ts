import { WorkError } from "../errors.js";
import type { Executor, ExecutorContext, SweepTask, TaskResult } from "./executor.js";
import { SimulationThread } from "./simulation-thread.js";
import type { TaskInput } from "./task-runner.js";

/**
 * Runs tasks on `workers` threads of this process (at least 1), in order, each thread taking the next task when
 * it is free. A thread that dies takes only its task with it.
 *
 * Threads stay for the next tasks, as those of a search come in rounds and a thread takes a second to start. They do
 * not keep the process alive.
 */
export function localExecutor(workers: number): Executor {
  const idle: SimulationThread[] = [];
  return async (tasks, context) => {
    const queue = tasks[Symbol.iterator]();
    const threads = Math.min(workers, tasks.length);
    // Where a result cannot be taken (a full disk), the other threads have no reason to go on.
    const failure = new AbortController();
    const signal = AbortSignal.any([context.signal, failure.signal]);
    const ends = Array.from({ length: threads }, () =>
      runThread(queue, { ...context, signal }, idle).catch((error: unknown) => {
        failure.abort();
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(ends);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
}

/** Takes tasks from the queue until it is empty, on an idle thread where there is one. */
async function runThread(
  queue: Iterator<SweepTask>,
  context: ExecutorContext,
  idle: SimulationThread[],
): Promise<void> {
  const { signal, onResult } = context;
  const thread = idle.pop() ?? new SimulationThread();
  const onAbort = (): void => void thread.end();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const next = queue.next();
      if (next.done === true) break;
      const result = await runTask(thread, inputOf(next.value, context));
      // `aborted` may have changed during the run.
      if ((signal as { readonly aborted: boolean }).aborted) break;
      onResult(result);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (signal.aborted) await thread.end();
    else idle.push(thread);
  }
}

async function runTask(thread: SimulationThread, input: TaskInput): Promise<TaskResult> {
  try {
    return await thread.run(input);
  } catch (error) {
    if (!(error instanceof WorkError)) throw error;
    return { id: input.task.id, summary: null, error: { message: error.message, kind: "work" } };
  }
}

/** What a task needs from the context. */
export function inputOf(
  task: SweepTask,
  { traces, profiles }: Pick<ExecutorContext, "traces" | "profiles">,
): TaskInput {
  return { task, trace: task.trace === null ? null : (traces.get(task.trace) ?? null), profiles };
}
