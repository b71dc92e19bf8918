import { InputError } from "../errors.js";
import type { EngineProfile } from "../engine/profile.js";
import { buildStepTime } from "../engine/step-time.js";
import type { StepTimeTerms } from "../engine/step-time.js";
import type { LinearDecodePiece, LinearPrefillTerms } from "../engine/step-time-linear.js";
import { decodeTable, mixedTable, prefillTable } from "./fit-step-times.js";
import { leftOutError } from "./left-out-error.js";
import type { Fit } from "./robust-fit.js";
import { loadOf } from "./step-samples.js";
import type { StepSample } from "./step-samples.js";

/** Step times of a grid as tables, with the error at points left out. */
export interface GridFit {
  readonly step_time: EngineProfile["step_time"];
  readonly fit_error: EngineProfile["fit_error"];
}

/**
 * What unequal contexts cost where nobody has measured it: the medians of LLMServingSim's attention measurements
 * with unequal contexts (vLLM 0.19, RTX 4090 and RTX PRO 6000), over steps of decodes only and over steps of a
 * chunk and at least 8 decodes.
 */
export const DEFAULT_CONTEXT_SKEW: EngineProfile["context_skew"] = { decode: 0.03, mixed: 0.06 };

const NOTHING: { decode: LinearDecodePiece[]; prefill: LinearPrefillTerms } = {
  decode: [{ from_sequences: 0, base_ms: 0, per_sequence_ms: 0, per_context_token_ms: 0 }],
  prefill: { floor_ms: 0, base_ms: 0, per_token_ms: 0, per_request_ms: 0, per_pair_ms: 0 },
};

/**
 * Makes tables of a complete step-time grid: decodes only, chunks only, and both.
 * @throws InputError naming `file` where a kind of step is missing or a grid has holes.
 */
export function fitGrid(samples: readonly StepSample[], file: string): GridFit {
  const decodes = samples.filter((sample) => sample.chunks === 0);
  const prefills = samples.filter((sample) => sample.decodes === 0);
  const both = samples.filter((sample) => sample.chunks > 0 && sample.decodes > 0);
  const decode = decodeTable(decodes) ?? incomplete(file, "steps of decodes only (prefill_chunk 0)");
  const prefill = prefillTable(prefills) ?? incomplete(file, "steps of a chunk only (n_decode 0)");
  const mixed = mixedTable(both) ?? incomplete(file, "steps of a chunk and decodes");
  return {
    step_time: { decode, prefill, mixed },
    fit_error: gridErrors(decodes, prefills, both),
  };
}

function incomplete(file: string, what: string): never {
  throw new InputError(`${file}: ${what}: expected a complete grid, every value of an axis with every other`);
}

function sequences(sample: StepSample): number {
  return sample.decodes;
}

function context(sample: StepSample): number {
  return sample.contextTokens;
}

/** Error of a decode table at points left out. */
export function tableDecodeError(decodes: readonly StepSample[]): Fit {
  return leftOutError(decodes, [sequences, context], (kept) => {
    const table = decodeTable(kept);
    return table && modelOf({ decode: table });
  });
}

function gridErrors(
  decodes: readonly StepSample[],
  prefills: readonly StepSample[],
  both: readonly StepSample[],
): EngineProfile["fit_error"] {
  const chunk = (sample: StepSample): number => sample.chunkTokens;
  const cached = (sample: StepSample): number => sample.cachedTokens;
  const decode = tableDecodeError(decodes);
  const prefill = leftOutError(prefills, [chunk, cached], (kept) => {
    const table = prefillTable(kept);
    return table && modelOf({ prefill: table });
  });
  const mixed = leftOutError(both, [chunk, cached, sequences, context], (kept) => {
    const table = mixedTable(kept);
    return table && modelOf({ mixed: table });
  });
  return {
    ...named("decode", decode),
    ...named("prefill", prefill),
    ...named("mixed", mixed),
  } as EngineProfile["fit_error"];
}

function modelOf(terms: Partial<StepTimeTerms>): (sample: StepSample) => number {
  const model = buildStepTime({
    decode: NOTHING.decode,
    prefill: NOTHING.prefill,
    mixed: { per_sequence_ms: 0, per_context_token_ms: 0 },
    skew: { decode: 0, mixed: 0 },
    allReduce: null,
    hostMs: 0,
    ...terms,
  });
  return (sample) => model.stepMs(loadOf(sample));
}

function named(kind: string, { meanErrorPct, maxErrorPct }: Fit): Record<string, number> {
  return {
    [`${kind}_mean_pct`]: Number(meanErrorPct.toFixed(1)),
    [`${kind}_max_pct`]: Number(maxErrorPct.toFixed(1)),
  };
}
