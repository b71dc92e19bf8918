import fc from "fast-check";
import type { EngineConfig, KvRole } from "../../src/engine/types.js";
import { VLLM_VERSIONS, type VllmVersion } from "../../src/engine/vllm-versions.js";
import { anEngineConfig, aRequest, aSpan } from "./builders.js";
import type { Submission } from "./driver.js";

/** A random engine under random load, small enough that every kind of shortage occurs. */
export interface RandomScenario {
  readonly config: EngineConfig;
  readonly submissions: readonly Submission[];
}

const config: fc.Arbitrary<EngineConfig> = fc
  .record({
    version: fc.constantFrom<VllmVersion>("0.11", "0.19", "main-2026-08"),
    blockSize: fc.constantFrom(4, 16),
    tokensOfKv: fc.integer({ min: 140, max: 700 }),
    maxNumSeqs: fc.constantFrom(2, 5, 32),
    maxNumBatchedTokens: fc.constantFrom(6, 48, 256),
    longPrefillTokenThreshold: fc.constantFrom(0, 0, 20),
    maxModelLen: fc.constantFrom(90, 4096),
    enablePrefixCaching: fc.boolean(),
    enableChunkedPrefill: fc.constantFrom(true, true, false),
    schedulingPolicy: fc.constantFrom<"fcfs" | "priority">("fcfs", "priority"),
    asyncScheduling: fc.boolean(),
  })
  .map(({ version, tokensOfKv, ...rest }) =>
    anEngineConfig({
      ...rest,
      numGpuBlocks: Math.ceil(tokensOfKv / rest.blockSize) + 1,
      rules: VLLM_VERSIONS[version],
    }),
  );

/** Times that no two sums of step times hit by accident, over the whole range (doubles crowd around 0). */
const timeMs = (most: number) => fc.nat({ max: most * 10 }).map((tenths) => tenths / 10 + 0.013_791);

const submission = fc.record({
  afterMs: timeMs(30),
  promptTokens: fc.integer({ min: 1, max: 120 }),
  outputTokens: fc.integer({ min: 1, max: 90 }),
  family: fc.integer({ min: 0, max: 3 }),
  sharedBlocks: fc.integer({ min: 0, max: 12 }),
  describesOutput: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 }),
  kvRole: fc.constantFrom<KvRole>("local", "local", "remote_prefill", "remote_decode"),
  transferMs: timeMs(40),
  abortAfterMs: fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: timeMs(300) },
  ),
});

/** Content of 8-token trace blocks: a common prefix of the family, then ids of its own. */
function contentOf(id: number, family: number, shared: number, tokens: number) {
  const ids = Math.ceil(tokens / 8);
  const common = Math.min(shared, ids);
  const own = ids - common;
  return aSpan(8, [
    ...(common > 0 ? [[family * 100, common] as const] : []),
    ...(own > 0 ? [[1000 + id * 100, own] as const] : []),
  ]);
}

export const randomScenario: fc.Arbitrary<RandomScenario> = fc
  .record({
    config,
    load: fc.array(submission, { minLength: 1, maxLength: 60 }),
  })
  .map(({ config: engine, load }) => {
    let atMs = 0;
    const submissions = load.map((one, id): Submission => {
      atMs += one.afterMs;
      const described = one.promptTokens + (one.describesOutput ? one.outputTokens : 0);
      const request = aRequest(id, {
        promptTokens: one.promptTokens,
        outputTokens: one.kvRole === "remote_decode" ? 1 : one.outputTokens,
        content: contentOf(id, one.family, one.sharedBlocks, described),
        priority: one.priority,
        kvRole: one.kvRole,
      });
      const abort = one.abortAfterMs === undefined ? {} : { abortAtMs: atMs + one.abortAfterMs };
      return { atMs, request, transferMs: one.transferMs, ...abort };
    });
    return { config: engine, submissions };
  });
