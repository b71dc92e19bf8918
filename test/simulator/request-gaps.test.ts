import fc from "fast-check";
import { quantile } from "simple-statistics";
import { expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.js";
import { createRequestRecords } from "../../src/measure/record-builder.js";
import { RequestGaps } from "../../src/simulator/request-gaps.js";
import { emptySpan } from "../../src/values/block-span.js";
import { ENGINE, STEP_TIME } from "./fleet.js";

const requests = fc.array(
  fc.record({
    atMs: fc.integer({ min: 0, max: 300 }),
    input: fc.integer({ min: 1, max: 400 }),
    output: fc.integer({ min: 1, max: 60 }),
  }),
  { minLength: 1, maxLength: 15 },
);

it("finds each request's 99th percentile as if every token had been recorded, preempted or not", () => {
  let preempted = 0;
  fc.assert(
    fc.property(
      requests,
      fc.integer({ min: 30, max: 120 }),
      fc.integer({ min: 4, max: 600 }),
      (drawn, blocks, budget) => {
        const rows = [...drawn].sort((a, b) => a.atMs - b.atMs);
        const tokens = rows.map(() => [] as number[]);
        const records = createRequestRecords(rows.length);
        const gaps = new RequestGaps(1, records);
        const engine = createEngine(
          { ...ENGINE, numGpuBlocks: blocks, maxNumBatchedTokens: budget, maxNumSeqs: 4 },
          STEP_TIME,
          {
            onScheduled: () => undefined,
            onKvReadStart: () => undefined,
            onFirstToken: (id, atMs) => gaps.firstToken(id, atMs),
            onPreempted: () => preempted++,
            onFinished: (id, atMs, _reason, outputTokens) => {
              records.outputTokens[id] = outputTokens;
              gaps.finish(id, atMs);
            },
            onTokenGaps: (firstMs, deltaMs, steps, _sequences, endMs, lateId) =>
              gaps.add(0, firstMs, deltaMs, steps, endMs, lateId),
          },
          "plain",
          { onTokens: (ids, atMs) => ids.forEach((id) => tokens[id]!.push(atMs)) },
        );
        rows.forEach(({ atMs, input, output }, id) => {
          while (engine.nextEventMs() < atMs) engine.advance(engine.nextEventMs());
          const leg = { id, promptTokens: input, outputTokens: output, content: emptySpan(16), priority: 0 };
          if (engine.reject({ ...leg, kvRole: "local" }) === null)
            engine.submit({ ...leg, kvRole: "local" }, atMs);
        });
        while (engine.nextEventMs() < Infinity) engine.advance(engine.nextEventMs());
        records.decodeWorker.fill(0);
        gaps.write();
        tokens.forEach((times, id) => {
          if (times.length < 2) return;
          const expected = quantile(
            times.slice(1).map((at, i) => at - times[i]!),
            0.99,
          );
          expect(records.itlP99Ms[id]).toBeCloseTo(expected, 6);
        });
      },
    ),
    { numRuns: 200 },
  );
  expect(preempted).toBeGreaterThan(0);
});
