import { describe, expect, it } from "vitest";
import { BlockContent } from "../../src/engine/block-content.js";
import { InputError } from "../../src/errors.js";
import { aSpan } from "./builders.js";

const PRIVATE = -1000;

function contentOf(
  blockTokens: number,
  runs: readonly (readonly [number, number])[],
  promptTokens: number,
  blockSize: number,
): BlockContent {
  const content = new BlockContent();
  content.assign(aSpan(blockTokens, runs), promptTokens, blockSize, PRIVATE);
  return content;
}

const keys = (content: BlockContent, count: number) =>
  Array.from({ length: count }, (_, j) => content.key(j));

describe("the keys of a request's blocks", () => {
  it("divide a trace block evenly among engine blocks", () => {
    const content = contentOf(64, [[5, 2]], 128, 16);
    expect(keys(content, 8)).toEqual([20, 21, 22, 23, 24, 25, 26, 27]);
  });

  it("follow the runs of the trace", () => {
    const runs = [[5, 1] as const, [9, 1] as const];
    expect(keys(contentOf(32, runs, 64, 16), 4)).toEqual([10, 11, 18, 19]);
  });

  it("are made from the last trace id where an engine block is larger: ids name all that comes before", () => {
    const [first, ...others] = keys(contentOf(16, [[3, 6]], 96, 32), 3) as [number, number, number];
    expect(others).toEqual([first + 1, first + 2]);
    expect(
      keys(
        contentOf(
          16,
          [
            [9, 1],
            [4, 1],
          ],
          32,
          32,
        ),
        1,
      ),
    ).toEqual([first]);
    expect(
      keys(
        contentOf(
          16,
          [
            [3, 1],
            [5, 1],
          ],
          32,
          32,
        ),
        1,
      ),
    ).not.toEqual([first]);
  });

  it("differ for ids that differ, whatever the block sizes", () => {
    const longer = Array.from({ length: 64 }, (_, id) =>
      contentOf(
        16,
        [
          [100, 3],
          [id, 1],
        ],
        64,
        64,
      ).key(0),
    );
    expect(new Set(longer).size).toBe(64);
    expect(Math.max(...longer)).toBeLessThan(2 ** 31);
  });

  it.each([
    { what: "full blocks of the prompt only", prompt: 100, ids: 4, shared: 6 },
    { what: "a prompt of whole blocks", prompt: 96, ids: 3, shared: 6 },
    { what: "a span that describes the output too", prompt: 100, ids: 5, shared: 10 },
    { what: "a span shorter than the prompt", prompt: 100, ids: 2, shared: 4 },
    { what: "no span", prompt: 100, ids: 0, shared: 0 },
    { what: "a prompt shorter than a block", prompt: 15, ids: 1, shared: 0 },
  ])("share $what: $shared blocks", ({ prompt, ids, shared }) => {
    const content = contentOf(32, ids > 0 ? [[7, ids]] : [], prompt, 16);
    expect(content.sharedBlocks).toBe(shared);
    expect(content.key(shared)).toBe(PRIVATE);
    expect(content.key(shared + 1)).toBe(PRIVATE + 1);
  });

  it("name a block that prompt and output share only where the table covers the output", () => {
    const { table, end } = aSpan(16, [[7, 7]]);
    const content = new BlockContent();
    content.assign({ table, start: 0, end }, 100, 16, PRIVATE);
    expect(content.sharedBlocks).toBe(6);
    content.assign({ table: { ...table, coversOutput: true }, start: 0, end }, 100, 16, PRIVATE);
    expect(content.sharedBlocks).toBe(7);
  });

  it("a longer run is told of where keys follow each other", () => {
    const content = contentOf(64, [[5, 2]], 100, 16);
    expect([0, 1, 3, 4, 5].map((j) => content.consecutive(j))).toEqual([6, 5, 3, 2, 1]);
    const apart = contentOf(64, [[5, 1] as const, [9, 1] as const], 128, 16);
    expect([0, 3, 4, 7].map((j) => apart.consecutive(j))).toEqual([4, 1, 4, 1]);
    const larger = contentOf(16, [[3, 5] as const, [20, 3] as const], 128, 32);
    expect([0, 1, 2, 3].map((j) => larger.consecutive(j))).toEqual([2, 1, 2, 1]);
  });
});

it("names both block sizes when they do not go together", () => {
  expect(() => contentOf(24, [[0, 2]], 48, 16)).toThrow(InputError);
  expect(() => contentOf(24, [[0, 2]], 48, 16)).toThrow(/24 tokens.*block_size of 16/);
});
