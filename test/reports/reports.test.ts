import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { STORIES } from "../../scripts/reports/stories.js";

/** Reports that take a moment only; `npm run reports -- --check` compares them all. */
const QUICK = ["decode-load-at-headers", "generate-32x8"];

describe("a committed report", () => {
  it.each(QUICK)("%s comes out the same, byte for byte", async (name) => {
    const story = STORIES.find((candidate) => candidate.name === name)!;
    const committed = readFileSync(
      fileURLToPath(new URL(`../../reports/${name}.md`, import.meta.url)),
      "utf8",
    );
    expect(await story.render()).toBe(committed);
  });
});
