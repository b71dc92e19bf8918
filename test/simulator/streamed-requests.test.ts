import { describe, expect, it } from "vitest";
import { StreamedRequests } from "../../src/simulator/streamed-requests.js";
import { expandSpan, spanLength, type BlockSpan } from "../../src/values/block-span.js";
import { buildWorkload } from "../../src/workload/build-workload.js";
import { generateWorkload, openGenerator } from "../../src/workload/generate-workload.js";
import { blockSpanOf } from "../../src/workload/workload.js";

const KIND = "multi_turn_chat";
/** More than the window has places for at first. */
const REQUESTS = 5000;

function idsOf(span: BlockSpan): number[] {
  const ids = new Int32Array(spanLength(span));
  expandSpan(span, ids, ids.length);
  return [...ids];
}

function stream(): StreamedRequests {
  return new StreamedRequests(openGenerator(KIND, {}, 3), {
    requests: REQUESTS,
    speedup: 1,
    linksTurns: true,
    check: () => undefined,
  });
}

const whole = buildWorkload(generateWorkload(KIND, {}, { requests: REQUESTS, seed: 3 }));

function expectRow(requests: StreamedRequests, row: number): void {
  const i = row & requests.mask;
  expect([
    requests.inputTokens[i],
    requests.outputTokens[i],
    requests.session[i],
    requests.previous[i],
    requests.thinkMs[i],
    idsOf(requests.spanOf(row)),
  ]).toEqual([
    whole.inputTokens[row],
    whole.outputTokens[row],
    whole.session[row],
    whole.previous[row],
    whole.thinkMs[row],
    idsOf(blockSpanOf(whole, row)),
  ]);
  if (whole.previous[row]! < 0) expect(requests.arrivalMs[i]).toBe(whole.arrivalMs[row]);
}

describe("streamed requests", () => {
  it("are those that are generated beforehand, in a window that grows while none is over", () => {
    const requests = stream();
    expect(requests.has(REQUESTS - 1)).toBe(true);
    expect(requests.has(REQUESTS)).toBe(false);
    expect(requests.mask).toBe(8191);
    for (let row = 0; row < REQUESTS; row += 7) expectRow(requests, row);
  });

  it("need no more places than there are requests at work", () => {
    const requests = stream();
    for (let row = 0; row < REQUESTS; row++) {
      expect(requests.has(row)).toBe(true);
      const next = requests.nextTurn(row);
      if (row % 7 === 0) expectRow(requests, row);
      if (next >= 0) expect(whole.previous[next]).toBe(row);
      requests.release();
    }
    expect(requests.mask).toBe(4095);
  });
});
