import type { BlockSpan, BlockTable } from "../../src/values/block-span.js";
import type { GoldenRequest } from "./scenario.js";

/**
 * Block ids for the token ranges of golden requests: equal ids where all tokens up to the end of the block are
 * equal. A request's span covers its outputs too, and one id more, so that it is known to describe them.
 */
export function goldenContent(requests: readonly GoldenRequest[], blockSize: number): BlockSpan[] {
  const idOf = new Map<string, number>();
  const runId: number[] = [];
  const ends: number[] = [];
  const dense = (chain: string) => {
    const known = idOf.get(chain) ?? idOf.size;
    idOf.set(chain, known);
    return known;
  };
  for (const request of requests) {
    const tokens = tokensOf(request);
    let chain = "";
    for (let end = blockSize; end <= tokens.length; end += blockSize) {
      const id = dense(`${chain}:${tokens.slice(end - blockSize, end).join()}`);
      chain = String(id);
      runId.push(id);
    }
    runId.push(dense(`end of ${request.id}`), dense(`beyond ${request.id}`));
    ends.push(runId.length);
  }
  const table: BlockTable = {
    blockTokens: blockSize,
    runId: Int32Array.from(runId),
    runCount: new Int32Array(runId.length).fill(1),
  };
  return ends.map((end, i) => ({ table, start: ends[i - 1] ?? 0, end }));
}

function tokensOf(request: GoldenRequest): number[] {
  const ranges = [...request.prompt, [request.output_start, request.max_tokens] as const];
  return ranges.flatMap(([start, length]) => Array.from({ length }, (_, i) => start + i));
}
