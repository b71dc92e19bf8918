import { rejectReason } from "../engine/reject.js";
import { InputError } from "../errors.js";
import type { FleetSetup, SimulationSetup, WorkerSetup } from "../simulator/setup.js";

/**
 * Fails where a request could never be served because it needs more KV cache, or a larger step, than a worker
 * has. Prompts beyond `max_model_len` are another matter: vLLM refuses those one by one, so they are results.
 *
 * @throws InputError naming the request, what it needs and what there is
 */
export function checkCapacity(setup: SimulationSetup): void {
  const { count, inputTokens, outputTokens } = setup.workload;
  for (let row = 0; row < count; row++) checkLeg(row, inputTokens[row]!, 1, setup.prefill[0], "prefill");
  for (let row = 0; row < count; row++) {
    checkLeg(row, inputTokens[row]!, outputTokens[row]!, setup.decode[0], "decode");
  }
}

/** `checkCapacity` for one request at a time. */
export function capacityCheck({
  prefill,
  decode,
}: FleetSetup): (row: number, promptTokens: number, outputTokens: number) => void {
  return (row, promptTokens, outputTokens) => {
    checkLeg(row, promptTokens, 1, prefill[0], "prefill");
    checkLeg(row, promptTokens, outputTokens, decode[0], "decode");
  };
}

function checkLeg(
  row: number,
  promptTokens: number,
  outputTokens: number,
  worker: WorkerSetup | undefined,
  leg: "prefill" | "decode",
): void {
  if (worker === undefined || promptTokens >= worker.engine.maxModelLen) return;
  const reason = rejectReason(worker.engine, { promptTokens, outputTokens });
  if (reason === null) return;
  throw new InputError(
    `workload: request ${row} (${promptTokens} prompt tokens) fits no ${leg} worker: ${reason}; ` +
      `expected a profile with more KV cache, or larger engine limits`,
  );
}
