import { rejectReason } from "../engine/reject.js";
import type { KvRole } from "../engine/types.js";
import { InputError } from "../errors.js";
import type { SimulationSetup, WorkerSetup } from "../simulator/setup.js";
import type { Workload } from "../workload/workload.js";

/**
 * Fails where a request could never be served because it needs more KV cache, or a larger step, than a worker
 * has. Prompts beyond `max_model_len` are another matter: vLLM refuses those one by one, so they are results.
 *
 * @throws InputError naming the request, what it needs and what there is
 */
export function checkCapacity({ workload, prefill, decode }: SimulationSetup): void {
  checkLeg(workload, prefill[0], "remote_decode");
  checkLeg(workload, decode[0], "local");
}

function checkLeg(workload: Workload, worker: WorkerSetup | undefined, kvRole: KvRole): void {
  if (worker === undefined) return;
  const { engine } = worker;
  for (let row = 0; row < workload.count; row++) {
    const promptTokens = workload.inputTokens[row]!;
    if (promptTokens >= engine.maxModelLen) continue;
    const outputTokens = kvRole === "local" ? workload.outputTokens[row]! : 1;
    const reason = rejectReason(engine, { promptTokens, outputTokens });
    if (reason === null) continue;
    const leg = kvRole === "local" ? "decode" : "prefill";
    throw new InputError(
      `workload: request ${row} (${promptTokens} prompt tokens) fits no ${leg} worker: ${reason}; ` +
        `expected a profile with more KV cache, or larger engine limits`,
    );
  }
}
