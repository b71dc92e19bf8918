import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { STORIES } from "../../scripts/reports/stories.js";
import type * as Threads from "../../src/sweep/local-executor.js";
import { built } from "../support/built.js";

/** Reports that take a moment only; `npm run reports -- --check` compares them all. */
const QUICK = ["decode-load-at-headers", "generate-32x8", "prefill-leg-output", "session-id-lost"];

const committed = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../reports/${name}.md`, import.meta.url)), "utf8");

describe("a committed report", () => {
  it.each(QUICK)("%s comes out the same, byte for byte", async (name) => {
    const story = STORIES.find((candidate) => candidate.name === name)!;
    const { localExecutor } = await built<typeof Threads>("sweep/local-executor.js");
    expect(await story.render(localExecutor(2))).toBe(committed(name));
  });

  it.each(STORIES)("$name has a title and says how to make it again", ({ name }) => {
    expect(committed(name)).toMatch(/^# \S/);
    expect(committed(name)).toContain("`npm run reports` writes this file again");
  });
});
