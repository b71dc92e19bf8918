import { InputError } from "../errors.js";
import { ASSUMED_MIXED_RATIO } from "../engine/assemble-profile.js";
import type { EngineProfile } from "../engine/profile.js";
import { buildStepTime } from "../engine/step-time.js";
import type { StepTimeTerms } from "../engine/step-time.js";
import { fitLinearDecode, fitLinearMixed, fitLinearPrefill } from "./fit-step-times.js";
import { fitErrorsOf } from "./fitted-point.js";
import type { FittedKind, FittedPoint } from "./fitted-point.js";
import { leftOutPoints } from "./left-out-error.js";
import { cached, chunk, context, decodes, decodeTable, mixedTable, prefillTable } from "./step-tables.js";
import { describeSample, loadOf } from "./step-samples.js";
import type { StepSample } from "./step-samples.js";

/** Step times of a grid, how well they meet it, and what it could not tell. */
export interface GridFit {
  readonly step_time: EngineProfile["step_time"];
  readonly fit_error: EngineProfile["fit_error"];
  readonly points: readonly FittedPoint[];
  readonly warnings: readonly string[];
}

/**
 * What unequal contexts cost where nobody has measured it, from LLMServingSim's measurements of the attention
 * with unequal contexts (vLLM 0.19, RTX 4090 and RTX PRO 6000): the median over its fits of decodes alone, and
 * the mean over those of a chunk beside at least 16 decodes. Which of the statistics to take was settled with the
 * validation runs on both cards in view: they are a weaker test of these two figures than of the step times.
 */
export const DEFAULT_CONTEXT_SKEW: EngineProfile["context_skew"] = { decode: 0.03, mixed: 0.07 };

const NOTHING: StepTimeTerms = {
  decode: [{ from_sequences: 0, base_ms: 0, per_sequence_ms: 0, per_context_token_ms: 0 }],
  prefill: { floor_ms: 0, base_ms: 0, per_token_ms: 0, per_request_ms: 0, per_pair_ms: 0 },
  mixed: { per_sequence_ms: 0, per_context_token_ms: 0 },
  skew: { decode: 0, mixed: 0 },
  allReduce: null,
  hostMs: 0,
};

/**
 * Step times from a grid of measured steps: tables where a kind of step forms a complete grid, lines where it
 * does not. Errors of a table are those of points left out of it; of a line, of its own points.
 * @throws InputError naming `file` where decode-only or prefill-only steps are missing.
 */
export function fitGrid(samples: readonly StepSample[], file: string): GridFit {
  const warnings: string[] = [];
  const decode = fitDecodes(
    samples.filter((sample) => sample.chunks === 0),
    file,
    warnings,
  );
  const prefill = fitPrefills(
    samples.filter((sample) => sample.decodes === 0),
    file,
    warnings,
  );
  const both = samples.filter((sample) => sample.chunks > 0 && sample.decodes > 0);
  const mixed = fitMixed(both, decode.line, prefill.terms, warnings);
  const points = [...decode.points, ...prefill.points, ...mixed.points];
  return {
    step_time: { decode: decode.terms, prefill: prefill.terms, mixed: mixed.terms },
    fit_error: namedErrors(points),
    points,
    warnings,
  };
}

/** The errors of the three kinds of step as a profile states them. */
export function namedErrors(points: readonly FittedPoint[]): EngineProfile["fit_error"] {
  const decode = fitErrorsOf(points, "decode");
  const prefill = fitErrorsOf(points, "prefill");
  const mixed = fitErrorsOf(points, "mixed");
  return {
    decode_mean_pct: decode.meanPct,
    decode_max_pct: decode.maxPct,
    prefill_mean_pct: prefill.meanPct,
    prefill_max_pct: prefill.maxPct,
    mixed_mean_pct: mixed.meanPct,
    mixed_max_pct: mixed.maxPct,
  };
}

/** Points of a decode table that were left out of it. */
export function leftOutDecodes(samples: readonly StepSample[]): FittedPoint[] {
  return leftOutPoints("decode", samples, [decodes, context], (kept) => {
    const table = decodeTable(kept);
    return table && modelOf({ decode: table });
  });
}

/** Every sample beside what `terms` say of it. */
export function pointsOf(
  kind: FittedKind,
  samples: readonly StepSample[],
  terms: Partial<StepTimeTerms>,
): FittedPoint[] {
  const msOf = modelOf(terms);
  return samples.map((sample) => ({
    kind,
    measuredMs: sample.ms,
    predictedMs: msOf(sample),
    text: describeSample(sample),
  }));
}

function fitDecodes(samples: readonly StepSample[], file: string, warnings: string[]) {
  const what = "steps of decodes only (prefill_chunk 0, n_decode above 0)";
  if (samples.length === 0) throw new InputError(`${file}: no ${what}, expected some`);
  warnOfSingleValues(samples, { n_decode: decodes, kv_decode: context }, what, warnings);
  const line = fitLinearDecode(samples);
  const table = decodeTable(samples);
  if (table !== null) return { line, terms: table, points: leftOutDecodes(samples) };
  warnings.push(`${what} are no complete grid: a line is fitted to them.`);
  return { line, terms: [line], points: pointsOf("decode", samples, { decode: [line] }) };
}

function fitPrefills(samples: readonly StepSample[], file: string, warnings: string[]) {
  const what = "steps of a chunk only (n_decode 0)";
  if (samples.length === 0) throw new InputError(`${file}: no ${what}, expected some`);
  warnOfSingleValues(samples, { prefill_chunk: chunk, kv_prefill: cached }, what, warnings);
  const table = prefillTable(samples);
  if (table !== null) {
    const points = leftOutPoints("prefill", samples, [chunk, cached], (kept) => {
      const rest = prefillTable(kept);
      return rest && modelOf({ prefill: rest });
    });
    return { terms: table, points };
  }
  warnings.push(`${what} are no complete grid: a line is fitted to them.`);
  const terms = fitLinearPrefill(samples);
  return { terms, points: pointsOf("prefill", samples, { prefill: terms }) };
}

function fitMixed(
  samples: readonly StepSample[],
  decodeLine: ReturnType<typeof fitLinearDecode>,
  prefill: StepTimeTerms["prefill"],
  warnings: string[],
): { terms: StepTimeTerms["mixed"]; points: FittedPoint[] } {
  if (samples.length === 0) {
    warnings.push(
      `there are no steps of a chunk and decodes: decode context is assumed to cost ${ASSUMED_MIXED_RATIO} ` +
        `times as much in them as in steps of decodes only.`,
    );
    const perContextTokenMs = decodeLine.per_context_token_ms * ASSUMED_MIXED_RATIO;
    return { terms: { per_sequence_ms: 0, per_context_token_ms: perContextTokenMs }, points: [] };
  }
  const table = mixedTable(samples);
  if (table !== null) {
    const points = leftOutPoints("mixed", samples, [chunk, cached, decodes, context], (kept) => {
      const rest = mixedTable(kept);
      return rest && modelOf({ mixed: rest });
    });
    return { terms: table, points };
  }
  warnings.push("steps of a chunk and decodes are no complete grid: a line is fitted to them.");
  const terms = fitLinearMixed(samples, prefill, decodeLine);
  return { terms, points: pointsOf("mixed", samples, { decode: [decodeLine], prefill, mixed: terms }) };
}

function warnOfSingleValues(
  samples: readonly StepSample[],
  axes: Readonly<Record<string, (sample: StepSample) => number>>,
  what: string,
  warnings: string[],
): void {
  for (const [name, of] of Object.entries(axes)) {
    const values = new Set(samples.map(of));
    if (values.size > 1) continue;
    warnings.push(
      `${name} is ${[...values][0]!} in all ${what}: what it costs cannot be told from the grid.`,
    );
  }
}

function modelOf(terms: Partial<StepTimeTerms>): (sample: StepSample) => number {
  const model = buildStepTime({ ...NOTHING, ...terms });
  return (sample) => model.stepMs(loadOf(sample));
}
