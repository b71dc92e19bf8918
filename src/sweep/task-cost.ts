import type { RawTrace } from "../workload/raw-trace.js";
import type { SweepTask } from "./executor.js";

/** What a request costs beside its blocks, in blocks: measured on the conversation trace at 16 and 512 tokens a block. */
const REQUEST_IN_BLOCKS = 160;
/** Prompt of a generated request, for tasks whose requests do not exist yet. */
const GENERATED_PROMPT_TOKENS = 4000;

/**
 * The tasks in the order in which they should start: the ones that take longest first, so that no thread is left
 * with a long one at the end. Tasks of equal cost keep their order.
 */
export function longestFirst(
  tasks: readonly SweepTask[],
  traces: ReadonlyMap<string, RawTrace>,
): readonly SweepTask[] {
  const meanTokens = new Map([...traces].map(([name, trace]) => [name, meanOf(trace.inputTokens)]));
  const cost = new Map(
    tasks.map((task) => {
      const trace = task.trace === null ? undefined : traces.get(task.trace);
      const tokens = meanTokens.get(task.trace ?? "") ?? GENERATED_PROMPT_TOKENS;
      return [task, costOf(task, trace?.count ?? Infinity, tokens)];
    }),
  );
  return tasks.toSorted((a, b) => cost.get(b)! - cost.get(a)!);
}

/** Expected work of a run, in arbitrary units. */
function costOf({ scenario }: SweepTask, traceCount: number, meanTokens: number): number {
  const requests = Math.min(traceCount, scenario.workload.requests ?? Infinity);
  return requests * (REQUEST_IN_BLOCKS + meanTokens / scenario.engine.block_size);
}

function meanOf(column: Int32Array): number {
  return column.reduce((sum, value) => sum + value, 0) / Math.max(1, column.length);
}
