import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.js";
import { PRESETS } from "../../src/routing/registry.js";
import { captured } from "../support/captured.js";

const output = async (...args: string[]): Promise<string> => {
  const { status, stdout } = await captured(() => runProgram(args));
  expect(status).toBe(0);
  return stdout;
};
const words = (text: string): string => text.replaceAll(/\s+/g, " ");
const longest = (text: string): number => Math.max(...text.split("\n").map(({ length }) => length));

describe("list presets", () => {
  it("says of every preset what it models and what not, in 80 columns", async () => {
    const text = await output("list", "presets");
    expect(longest(text)).toBeLessThanOrEqual(80);
    for (const { name, source, models, doesNotModel } of PRESETS) {
      expect(text).toContain(`\n${name}\n`.slice(name === PRESETS[0]!.name ? 1 : 0));
      for (const item of [source, ...models, ...doesNotModel]) expect(words(text)).toContain(words(item));
    }
  });
});

describe("--explain", () => {
  it.each(PRESETS.map(({ name }) => name))("fits 80 columns and says what %s models", async (preset) => {
    const text = await output("simulate", "quickstart", "--preset", preset, "--explain");
    expect(longest(text)).toBeLessThanOrEqual(80);
    expect(text).toMatch(/router\n {2}preset +\S+ +--preset\n/);
    expect(text).toContain(`preset ${preset}: `);
    expect(text).toContain("  does not model\n");
  });

  it.each([
    [["--preset", "llm-d"], 50, "preset llm-d"],
    [["--preset", "production-stack"], 30_000, "preset production-stack"],
    [["--preset", "dynamo"], 1000, "default"],
    [[], 1000, "default"],
    [["--preset", "llm-d", "--set", "signals.stats_interval_ms=0"], 0, "--set signals.stats_interval_ms"],
  ])("with %j engines are polled every %i ms (%s)", async (flags, value, origin) => {
    const settings = JSON.parse(
      await output("simulate", "quickstart", ...flags, "--explain", "--json"),
    ) as object[];
    expect(settings).toContainEqual({ setting: "signals.stats_interval_ms", value, origin });
  });
});

describe("the decision log", () => {
  it("names the workers that a decision compared by their ids", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pdbench-test-"));
    try {
      const run = join(folder, "run");
      const policies = ["--prefill-policy", "power_of_two", "--decode-policy", "consistent_hash"];
      await output("simulate", "quickstart", "--requests", "3", ...policies, "--out", run, "--decisions");
      const [first] = readFileSync(join(run, "decisions.jsonl"), "utf8").split("\n");
      const { prefill, decode } = JSON.parse(first!) as Record<"prefill" | "decode", { figures: object }>;
      expect(JSON.stringify(prefill.figures)).toMatch(/"first":"prefill-\d","first_load":0/);
      expect(JSON.stringify(decode.figures)).toMatch(/"point":\d+,"owner":"decode-\d"/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
