import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replayEventLog } from "../../src/proxy/event-log-replay.js";
import { mixedTraffic } from "./support/mixed-traffic.js";
import { post, startFleet } from "./support/fleet.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pdbench-log-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the event log", () => {
  it.each([
    [
      "cache_aware",
      { policy: "cache_aware", cache_threshold: 0.3, balance_abs_threshold: 2, balance_rel_threshold: 1.1 },
    ],
    ["power_of_two", { policy: "power_of_two", order: "decode_first" }],
    ["late decode", { policy: "cache_aware", order: "late_decode", index_update: "prefill_end" }],
  ])("lets a fresh router make every decision again, to the last field (%s)", async (_, router) => {
    const eventLog = join(folder, "events.jsonl");
    const fleet = await startFleet({
      prefill: 2,
      decode: 3,
      router: { ...router, decider: { kind: "threshold", routing_threshold: 20 } },
      options: { eventLog },
    });
    await mixedTraffic(fleet, { requests: 60, seed: 7 });
    await fleet.proxy.close();
    const { decisions, divergences, router: replayed } = await replayEventLog(eventLog);
    expect(divergences).toEqual([]);
    expect(decisions).toBeGreaterThanOrEqual(60);
    expect(replayed.branchCounts()).toEqual(fleet.proxy.router.branchCounts());
    expect(replayed.isIdle()).toBe(true);
  });

  it("shows a decision that comes out differently", async () => {
    const eventLog = join(folder, "events.jsonl");
    const fleet = await startFleet({ decode: 2, router: { policy: "round_robin" }, options: { eventLog } });
    for (let i = 0; i < 2; i++) await (await post(`${fleet.url}/v1/completions`, { prompt: "x" })).text();
    await fleet.proxy.close();
    const text = await readFile(eventLog, "utf8");
    await writeFile(eventLog, text.replace('"worker":2', '"worker":1'));
    const { divergences } = await replayEventLog(eventLog);
    expect(divergences).toHaveLength(1);
  });

  it("is told apart from other files", async () => {
    const file = join(folder, "x.jsonl");
    await writeFile(file, '{"call":"onFirstToken","args":[1,2]}\n');
    await expect(replayEventLog(file)).rejects.toThrow(/not an event log/);
  });
});
