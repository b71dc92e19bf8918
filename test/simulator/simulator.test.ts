import { describe, expect, it } from "vitest";
import type { RunResult } from "../../src/measure/records.js";
import type { RouteDecision } from "../../src/routing/types.js";
import { simulate } from "../../src/simulator/simulator.js";
import { fleet, workloadOf } from "./fleet.js";

const ALWAYS = { decider: { kind: "always" } };
const NEVER = { decider: { kind: "never" } };
const COMPLETED = 0;
const FAILED = 1;
const CANCELLED = 2;

function column(
  result: RunResult,
  name: "sentMs" | "firstTokenMs" | "lastTokenMs" | "kvTransferMs",
): number[] {
  return [...result.records[name]].map((value) => Math.round(value * 1e6) / 1e6);
}

describe("a request's way", () => {
  it("prefills and decodes in one place when it is not disaggregated", () => {
    const { records } = simulate(fleet(workloadOf([{ input: 100, output: 3 }]), { router: NEVER }));
    // 5 + 0.02 x 100, then two decode steps of 5 + 0.02 + 1e-4 x context.
    expect(records.firstTokenMs[0]).toBeCloseTo(7, 9);
    expect(records.lastTokenMs[0]).toBeCloseTo(7 + 5.02 * 2 + 1e-4 * (101 + 102), 9);
    expect(records.prefillWorker[0]).toBe(-1);
    expect(records.path[0]).toBe(0);
  });

  it("takes prefill, transfer of whole blocks and one decode step to the first token when disaggregated", () => {
    const result = simulate(fleet(workloadOf([{ input: 100, output: 2 }]), { router: ALWAYS }));
    const transferMs = 1 + (112 * 1e5) / (100e9 / 8 / 1e3);
    expect(column(result, "kvTransferMs")).toEqual([Math.round(transferMs * 1e6) / 1e6]);
    expect(result.records.firstTokenMs[0]).toBeCloseTo(7 + transferMs + 5.02 + 1e-4 * 100, 9);
    expect(result.records.prefillMs[0]).toBeCloseTo(7, 9);
    expect(result.records.queueMs[0]).toBeCloseTo(0, 9);
    expect(result.workers.map(({ requests }) => requests).sort()).toEqual([0, 0, 1, 1]);
  });

  it("adds the hop and the server's overheads on every way between router and worker", () => {
    const workload = workloadOf([{ input: 100, output: 1 }]);
    const plain = simulate(fleet(workload, { router: NEVER }));
    const far = simulate(fleet(workload, { router: NEVER, overheadMs: 2, network: { hopMs: 3 } }));
    expect(far.records.firstTokenMs[0]! - plain.records.firstTokenMs[0]!).toBeCloseTo(10, 9);
    const there = simulate(fleet(workload, { router: ALWAYS }));
    const thereFar = simulate(fleet(workload, { router: ALWAYS, overheadMs: 2, network: { hopMs: 3 } }));
    expect(thereFar.records.firstTokenMs[0]! - there.records.firstTokenMs[0]!).toBeCloseTo(20, 9);
  });

  it("fails a request that no worker can ever hold, and goes on", () => {
    const { records } = simulate(
      fleet(
        workloadOf([
          { input: 9000, output: 1 },
          { input: 10, output: 1 },
        ]),
        { router: NEVER },
      ),
    );
    expect([...records.status]).toEqual([FAILED, COMPLETED]);
  });

  it("reads only what the decode worker does not hold", () => {
    const blocks = Array.from({ length: 20 }, (_, i) => i);
    const result = simulate(
      fleet(
        workloadOf([
          { input: 320, output: 1, blocks },
          { arrivalMs: 500, input: 330, output: 1, blocks: [...blocks, 20] },
        ]),
        { router: ALWAYS, decode: 1, prefill: 1 },
      ),
    );
    expect([...result.records.decodeCachedTokens]).toEqual([0, 320]);
    const oneBlockMs = 1 + (16 * 1e5) / (100e9 / 8 / 1e3);
    expect(result.records.kvTransferMs[1]).toBeCloseTo(oneBlockMs, 9);
  });
});

describe("arrivals", () => {
  it("sends a later turn when the one before has ended and the user has thought", () => {
    const result = simulate(
      fleet(
        workloadOf([
          { input: 50, output: 4, session: 0 },
          { input: 80, output: 4, session: 0, previous: 0, thinkMs: 250 },
        ]),
      ),
    );
    expect(result.records.sentMs[1]).toBeCloseTo(result.records.lastTokenMs[0]! + 250, 9);
  });

  it("keeps at most `concurrency` requests open in a closed loop", () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ input: 40 + i, output: 5 }));
    const { records } = simulate(fleet(workloadOf(rows, 3)));
    const edges: [number, number][] = [];
    records.sentMs.forEach((at) => edges.push([at, 1]));
    records.lastTokenMs.forEach((at) => edges.push([at, -1]));
    edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let open = 0;
    let most = 0;
    for (const [, change] of edges) most = Math.max(most, (open += change));
    expect(most).toBe(3);
    expect(records.status.every((status) => status === COMPLETED)).toBe(true);
  });

  it("stops a request when its client gives up, wherever it is", () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      arrivalMs: 3 * i,
      input: 400,
      output: 50,
      cancelAfterMs: 25 * i,
    }));
    const decisions: RouteDecision[] = [];
    const { records } = simulate(fleet(workloadOf(rows)), {
      onDecision: (decision) => decisions.push(decision),
    });
    expect(decisions).toHaveLength(60);
    expect([...records.status].filter((status) => status === CANCELLED).length).toBeGreaterThan(10);
    expect([...records.status].filter((status) => status === COMPLETED).length).toBeGreaterThan(5);
  });
});

it("is the same to the last bit when it runs again, and another with another seed", () => {
  const rows = Array.from({ length: 80 }, (_, i) => ({ arrivalMs: 4 * i, input: 100 + 10 * i, output: 20 }));
  const run = (seed: number) =>
    simulate(fleet(workloadOf(rows), { seed, router: { policy: "random", decider: { kind: "always" } } }));
  expect(run(7)).toEqual(run(7));
  expect(column(run(7), "firstTokenMs")).not.toEqual(column(run(8), "firstTokenMs"));
});

it("lets a prefill leg generate all the client asked for when its limit is not pinned to one token", () => {
  const workload = workloadOf([{ input: 100, output: 20 }]);
  const pinned = simulate(fleet(workload, { router: ALWAYS }));
  const loose = simulate(fleet(workload, { router: { ...ALWAYS, prefill_output: "client_limit" } }));
  expect(loose.workers[0]!.busyMs + loose.workers[1]!.busyMs).toBeGreaterThan(100);
  expect(loose.records.firstTokenMs[0]! - pinned.records.firstTokenMs[0]!).toBeGreaterThan(19 * 5);
  expect(loose.records.outputTokens[0]).toBe(20);
});

it("tells routers that index KV events what the engines hold when they decide", () => {
  const blocks = Array.from({ length: 20 }, (_, i) => i);
  const rows = [0, 1, 2, 3, 4, 5].map((i) => ({
    arrivalMs: 500 * i,
    input: 321,
    output: 1,
    blocks: [...blocks, 20],
  }));
  const branches: (string | undefined)[] = [];
  const { records } = simulate(
    fleet(workloadOf(rows), { decode: 4, router: { decider: { kind: "never" }, policy: "precise_prefix" } }),
    { onDecision: (decision) => branches.push(decision.decode?.branch) },
  );
  expect(new Set(records.decodeWorker).size).toBe(1);
  expect([...records.cachedTokens]).toEqual([0, 320, 320, 320, 320, 320]);
  expect(branches[0]).not.toBe(branches[1]);
});
