import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { planPortsCommand } from "../../src/cli/plan-ports.js";

let printed: string;

beforeEach(() => {
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => vi.restoreAllMocks());

const run = (...args: string[]) => planPortsCommand().parseAsync(args, { from: "user" });

describe("pdbench plan-ports", () => {
  it("gives prefill and decode bases that do not collide", async () => {
    await run("prefill:replicas=4,tp=2", "decode:dp=3");
    expect(printed).toMatch(/prefill +3 +20006-20007$/m);
    expect(printed).toMatch(/decode +2 +22002$/m);
  });

  it("fails on a collision, after printing who wants which port", async () => {
    await expect(run("prefill:tp=2", "decode:base=20001,tp=2")).rejects.toMatchObject({ exitCode: 1 });
    expect(printed).toMatch(/prefill +0 +20000-20001 +decode 0 \(20001\)$/m);
  });

  it("prints JSON", async () => {
    await run("prefill:tp=2,host=a", "decode:base=20001,host=b", "--json");
    expect(JSON.parse(printed)).toMatchObject({
      ranges: [{ first: 20_000 }, { first: 20_001 }],
      collisions: [],
    });
  });

  it.each([
    [["other"], "other: base is missing"],
    [["prefill", "prefill"], "prefill: given twice"],
    [["prefill:replica=3"], 'prefill: replica: unknown key, did you mean "replicas"?'],
    [["prefill:tp=0"], 'prefill: tp: got "0"'],
    [["prefill:tp"], 'prefill: tp: got ""'],
    [["prefill:dp=2,replicas=2"], "prefill: replicas and dp given"],
    [[":tp=2"], '":tp=2": expected NAME:KEY=VALUE'],
    [["prefill:base=65535,tp=2"], "needs ports 65535 to 65536"],
  ])("refuses %j", async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
    expect(printed).toBe("");
  });
});
