import { describe, expect, it } from "vitest";
import { request, routerOf } from "../builders.js";

const router = (settings: Record<string, unknown> = {}) =>
  routerOf({ decider: "never", policy: "least_loaded", ...settings }, { prefill: 0, decode: 3 });
const stats = (running: number, waiting: number) => ({ running, waiting, kvUsage: 0, atMs: 0 });

describe("least_loaded", () => {
  it("takes the worker with the fewest running plus waiting requests", () => {
    const r = router();
    r.updateStats(0, stats(5, 0));
    r.updateStats(1, stats(1, 3));
    r.updateStats(2, stats(0, 5));
    expect(r.route(request(1), 0).decode).toMatchObject({
      worker: 1,
      branch: "min_load",
      figures: { min_load: 4, max_load: 5 },
    });
  });

  it("says what the ledger's lowest and highest load are under in_flight", () => {
    const r = routerOf({ decider: "never", policy: "in_flight", ties: "first" }, { prefill: 0, decode: 2 });
    const figures = [0, 1, 2].map((id) => r.route(request(id), 0).decode!.figures);
    expect(figures).toEqual([
      { min_load: 0, max_load: 0 },
      { min_load: 0, max_load: 1 },
      { min_load: 1, max_load: 1 },
    ]);
    const tokens = routerOf(
      { decider: "never", policy: "in_flight", load_unit: "prompt_tokens", ties: "first" },
      { prefill: 0, decode: 2 },
    );
    const workers = [700, 300, 300, 200].map(
      (promptTokens, id) => tokens.route(request(id, { promptTokens }), 0).decode!.worker,
    );
    expect(workers).toEqual([0, 1, 1, 1]);
  });

  it("believes old statistics, so everything goes to one worker until the next ones come", () => {
    const r = router();
    for (const [worker, running] of [9, 2, 9].entries()) r.updateStats(worker, stats(running, 0));
    for (let id = 0; id < 10; id++) expect(r.route(request(id), id).decode?.worker).toBe(1);
  });

  it("takes turns while any worker has no statistics", () => {
    const r = router();
    r.updateStats(0, stats(9, 9));
    const picks = [0, 1, 2, 3].map((id) => r.route(request(id), 0).decode!);
    expect(picks.map(({ worker }) => worker)).toEqual([0, 1, 2, 0]);
    expect(picks[0]).toMatchObject({ policy: "least_loaded", branch: "no_stats_round_robin" });
  });

  it("falls back to the ledger when told to", () => {
    const r = router({ without_stats: "in_flight", ties: "first" });
    const picks = [0, 1, 2, 3].map((id) => r.route(request(id), 0).decode!);
    expect(picks.map(({ worker }) => worker)).toEqual([0, 1, 2, 0]);
    expect(picks[0]).toMatchObject({ policy: "least_loaded", branch: "no_stats_in_flight" });
  });

  it("takes the first of equals as production-stack does, when told to", () => {
    const r = router({ ties: "first" });
    for (const worker of [0, 1, 2]) r.updateStats(worker, stats(1, 1));
    for (let id = 0; id < 5; id++) expect(r.route(request(id), 0).decode?.worker).toBe(0);
  });
});
