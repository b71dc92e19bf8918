import { describe, expect, it } from "vitest";
import { request, routerOf } from "../builders.js";

const routerWith = (load_signal: string, decode = 3) =>
  routerOf({ decider: "never", policy: "power_of_two", load_signal }, { prefill: 0, decode });

describe("power_of_two", () => {
  it("draws two different workers, each pair in both orders, and takes the first of equals", () => {
    const router = routerWith("in_flight");
    const pairs = new Set<string>();
    for (let id = 0; id < 200; id++) {
      const { worker, branch, figures } = router.route(request(id), 0).decode!;
      router.onRequestEnd(id, "completed", 0);
      expect(branch).toBe("lower_of_two");
      expect(worker).toBe(figures["first"]);
      pairs.add(`${figures["first"]},${figures["second"]}`);
    }
    expect([...pairs].sort()).toEqual(["0,1", "0,2", "1,0", "1,2", "2,0", "2,1"]);
  });

  it("takes the one with less running plus waiting by engine statistics, 0 for an engine that said nothing", () => {
    const router = routerWith("engine_stats");
    router.updateStats(0, { running: 1, waiting: 2, kvUsage: 0, atMs: 0 });
    router.updateStats(1, { running: 4, waiting: 0, kvUsage: 0, atMs: 0 });
    const loads = [3, 4, 0];
    for (let id = 0; id < 50; id++) {
      const { worker, figures } = router.route(request(id), 0).decode!;
      const { first, second, first_load, second_load } = figures as Record<string, number>;
      expect([first_load, second_load]).toEqual([loads[first!], loads[second!]]);
      expect(loads[worker]).toBe(Math.min(first_load!, second_load!));
    }
  });

  it("has no choice of one", () => {
    expect(routerWith("in_flight", 1).route(request(1), 0).decode!.branch).toBe("only_candidate");
  });
});
