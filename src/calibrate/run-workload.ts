import { InputError } from "../errors.js";
import { readTrace } from "../workload/read-trace.js";
import { buildWorkload } from "../workload/build-workload.js";
import { blockSpanOf } from "../workload/workload.js";
import type { MeasuredRun } from "./measured-run.js";
import type { RunWorkload } from "./simulate-run.js";

/**
 * The workload of a measured run: content and prompt lengths from the trace file, output lengths and, where the
 * run recorded them, arrivals from the run.
 * @throws InputError where file and run do not belong together.
 */
export async function readRunWorkload(file: string, run: MeasuredRun): Promise<RunWorkload> {
  const { requests } = run;
  const trace = await readTrace(file);
  const workload = buildWorkload(trace, { jitter: false, sessions: "independent" });
  if (workload.count < requests.count) {
    throw new InputError(
      `${file}: has ${workload.count} requests, expected at least the ${requests.count} of ${run.path}`,
    );
  }
  for (let row = 0; row < requests.count; row++) {
    if (workload.inputTokens[row] === requests.inputTokens[row]) continue;
    throw new InputError(
      `${file}: request ${row + 1} has ${workload.inputTokens[row]!} prompt tokens, in ${run.path} it has ` +
        `${requests.inputTokens[row]!}: expected the workload of that run`,
    );
  }
  const arrivalsKnown = requests.arrivalMs.every((ms) => !Number.isNaN(ms));
  return {
    count: requests.count,
    arrivalMs: arrivalsKnown ? requests.arrivalMs : workload.arrivalMs.subarray(0, requests.count),
    inputTokens: requests.inputTokens,
    outputTokens: requests.outputTokens,
    content: (row) => blockSpanOf(workload, row),
  };
}
