import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { traceCommand } from "../../src/cli/trace.js";
import { describeWithSharedData, sharedData } from "../support/shared-data.js";

const folder = mkdtempSync(join(tmpdir(), "pdbench-cli-trace-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Runs `pdbench trace ...` and returns what it printed. */
async function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const printed = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    }),
  );
  try {
    await traceCommand().exitOverride().parseAsync(args, { from: "user" });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed;
}

const TRACE = at("mooncake.jsonl");
writeFileSync(
  TRACE,
  [
    { timestamp: 0, input_length: 1000, output_length: 5, hash_ids: [7, 9] },
    { timestamp: 2000, input_length: 1500, output_length: 6, hash_ids: [7, 9, 11] },
  ]
    .map((line) => JSON.stringify(line))
    .join("\n"),
);

describe("pdbench trace stats", () => {
  it("prints one JSON document with the keys of the contract", async () => {
    const { stdout } = await run("stats", TRACE, "--lru", "1,2", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      requests: 2,
      duration_s: 2,
      input_tokens: { mean: 1250, p50: 1250, p99: 1495, max: 1500 },
      output_tokens: { mean: 5.5, p50: 5.5, p99: 5.99, max: 6 },
      blocks: { block_tokens: 512, total: 5, distinct: 3 },
      hit_ratio: {
        infinite: { blocks: 0.4, tokens: 0.4096 },
        lru: [
          { capacity_blocks: 1, blocks: 0.2, tokens: 0.2048 },
          { capacity_blocks: 2, blocks: 0.4, tokens: 0.4096 },
        ],
      },
    });
  });

  it("prints a table that fits 100 columns", async () => {
    const { stdout } = await run("stats", TRACE, "--trace-format", "mooncake");
    expect(stdout).toContain("2 requests in 2 s, 1 requests/s");
    expect(stdout).toContain("LRU, 50,000 blocks");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("skips bad lines when asked to, and says how many", async () => {
    writeFileSync(at("bad.jsonl"), `${readFileSync(TRACE, "utf8")}\noops\n`);
    await expect(run("stats", at("bad.jsonl"))).rejects.toThrow(
      /bad.jsonl:3: got "oops", expected a JSON object/,
    );
    const { stdout } = await run("stats", at("bad.jsonl"), "--skip-bad-lines");
    expect(stdout).toContain("note: 1 bad line was skipped, the first is line 3.");
  });
});

describe("pdbench trace convert", () => {
  it("writes the pdbench format, which has the same statistics", async () => {
    const { stdout, stderr } = await run("convert", TRACE, "--out", at("converted.jsonl.gz"));
    expect(stdout).toBe("");
    expect(stderr).toContain("wrote 2 requests");
    const before = JSON.parse((await run("stats", TRACE, "--json")).stdout) as { hit_ratio: unknown };
    const after = JSON.parse((await run("stats", at("converted.jsonl.gz"), "--json")).stdout) as object;
    expect(after).toMatchObject({ ...before, trace: "converted.jsonl.gz (pdbench)" });
  });

  it("writes nothing when the trace cannot be read", async () => {
    writeFileSync(at("half-bad.jsonl"), `${readFileSync(TRACE, "utf8")}\n{}\n`);
    await expect(run("convert", at("half-bad.jsonl"), "--out", at("out.jsonl"))).rejects.toThrow(
      /:3: field "timestamp"/,
    );
    expect(existsSync(at("out.jsonl"))).toBe(false);
  });
});

describe("pdbench trace generate", () => {
  it("writes the same requests for the same seed", async () => {
    const flags = ["--kind", "best_of_n", "--requests", "20", "--set", "samples=5", "--set", "rate=2"];
    await run("generate", ...flags, "--seed", "3", "--out", at("a.jsonl"));
    await run("generate", ...flags, "--seed", "3", "--out", at("b.jsonl"));
    await run("generate", ...flags, "--seed", "4", "--out", at("c.jsonl"));
    const read = (name: string): string => readFileSync(at(name), "utf8");
    expect(read("a.jsonl")).toBe(read("b.jsonl"));
    expect(read("a.jsonl")).not.toBe(read("c.jsonl"));
    expect(read("a.jsonl").trim().split("\n")).toHaveLength(20);
  });

  it("lists the parameters of a kind", async () => {
    const { stdout } = await run("generate", "--kind", "best_of_n", "--parameters");
    expect(stdout).toContain("samples=8 requests  (1 to 10000)");
    expect(stdout).toContain("rate=5 requests/s");
  });
});

describe("pdbench trace", () => {
  const GENERATE = ["generate", "--out", at("never.jsonl"), "--kind"];
  it.each<[string, string[], RegExp]>([
    ["no subcommand", [], /^trace: expected stats, convert, generate$/],
    ["a mistyped subcommand", ["stat"], /^trace stat: expected .*, did you mean "stats"\?$/],
    [
      "a missing file",
      ["stats", at("none.jsonl")],
      /none.jsonl: no such file, expected a trace \(`pdbench trace generate` makes one\)$/,
    ],
    [
      "a capacity of 0",
      ["stats", TRACE, "--lru", "10,0"],
      /^--lru: got 0, expected a whole number of at least 1$/,
    ],
    ["an unknown format", ["stats", TRACE, "--trace-format", "azur"], /did you mean "azure"\?$/],
    ["no requests", ["stats", TRACE, "--requests", "0"], /^--requests: got 0/],
    ["an unknown kind", [...GENERATE, "chat"], /^generator "chat" is unknown/],
    ["an unknown parameter", [...GENERATE, "best_of_n", "--set", "n=3"], /^generate.n: unknown parameter/],
    [
      "a parameter without a value",
      [...GENERATE, "best_of_n", "--set", "samples"],
      /^--set samples: expected/,
    ],
    ["no file to write", ["generate", "--kind", "best_of_n"], /^--out: expected the file to write$/],
  ])("names %s", async (_name, args, message) => {
    await expect(run(...args)).rejects.toMatchObject({
      name: "InputError",
      message: expect.stringMatching(message) as string,
    });
    expect(existsSync(at("never.jsonl"))).toBe(false);
  });

  it.each([["stats"], ["convert"], ["generate"]])("%s has a help with examples", (subcommand) => {
    const printed: string[] = [];
    const command = traceCommand().commands.find((candidate) => candidate.name() === subcommand)!;
    command.configureOutput({ writeOut: (text) => printed.push(text) }).outputHelp();
    const help = printed.join("");
    expect(help).toContain(`$ pdbench trace ${subcommand}`);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describeWithSharedData("pdbench trace stats on a real trace", ["traces/mooncake-conversation.jsonl"], () => {
  it("prints the known hit ratios of the Mooncake conversation trace", async () => {
    const { stdout } = await run("stats", sharedData("traces/mooncake-conversation.jsonl"));
    for (const line of [
      /unlimited +36\.64 % +37\.36 %/,
      /LRU, 1,000 blocks +4\.45 % +4\.54 %/,
      /LRU, 10,000 blocks +21\.16 % +21\.57 %/,
      /LRU, 30,000 blocks +32\.57 % +33\.22 %/,
      /LRU, 50,000 blocks +35\.46 % +36\.15 %/,
    ]) {
      expect(stdout).toMatch(line);
    }
  });
});
