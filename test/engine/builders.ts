import type {
  EngineConfig,
  LegRequest,
  StepLoad,
  StepTimeModel,
  DecodeLine,
} from "../../src/engine/types.js";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import type { BlockSpan } from "../../src/values/block-span.js";

/** An engine with room for everything, blocks of 16 tokens, under the rules of vLLM 0.19. */
export function anEngineConfig(overrides: Partial<EngineConfig> = {}): EngineConfig {
  return {
    blockSize: 16,
    numGpuBlocks: 1024,
    maxNumSeqs: 16,
    maxNumBatchedTokens: 2048,
    longPrefillTokenThreshold: 0,
    maxModelLen: 8192,
    enablePrefixCaching: true,
    enableChunkedPrefill: true,
    schedulingPolicy: "fcfs",
    asyncScheduling: false,
    rules: VLLM_VERSIONS["0.19"],
    ...overrides,
  };
}

/** A request for 100 tokens in, 10 out, whose content nobody shares. */
export function aRequest(id: number, overrides: Partial<LegRequest> = {}): LegRequest {
  return {
    id,
    promptTokens: 100,
    outputTokens: 10,
    content: aSpan(16, []),
    priority: 0,
    kvRole: "local",
    ...overrides,
  };
}

/** Content by runs of trace block ids: `[first, count]`. */
export function aSpan(blockTokens: number, runs: readonly (readonly [number, number])[]): BlockSpan {
  const table = {
    blockTokens,
    runId: Int32Array.from(runs, ([first]) => first),
    runCount: Int32Array.from(runs, ([, count]) => count),
  };
  return { table, start: 0, end: runs.length };
}

/** Decode steps lie on straight lines that change every `breakEvery` context tokens. */
export class PiecewiseStepTime implements StepTimeModel {
  private readonly breakEvery: number;

  constructor(breakEvery: number) {
    this.breakEvery = breakEvery;
  }

  stepMs(load: StepLoad): number {
    const line = { interceptMs: 0, slopeMsPerToken: 0, untilContextTokens: 0 };
    this.decodeLine(load.decodes, load.decodeContextTokens, line);
    const decodeMs = line.interceptMs + line.slopeMsPerToken * load.decodeContextTokens;
    return decodeMs + 0.0131 * load.prefillTokens + 0.0000017 * load.prefillPairs + 0.31 * load.prefills;
  }

  decodeLine(decodes: number, contextTokens: number, out: DecodeLine): void {
    const piece = Math.max(Math.ceil(contextTokens / this.breakEvery) - 1, 0);
    out.slopeMsPerToken = 0.0007 / (1 + piece);
    out.interceptMs = 3.137 + 0.0213 * decodes + 0.0411 * piece;
    out.untilContextTokens = (piece + 1) * this.breakEvery;
  }
}

/** Every step takes 10 ms. */
export const TEN_MS_STEPS: StepTimeModel = {
  stepMs: () => 10,
  decodeLine(_decodes, _contextTokens, out) {
    out.interceptMs = 10;
    out.slopeMsPerToken = 0;
    out.untilContextTokens = Infinity;
  },
};
