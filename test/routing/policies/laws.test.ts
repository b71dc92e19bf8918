import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POLICIES } from "../../../src/routing/registry.js";
import { request, routerOf, tally } from "../builders.js";

/** Routes `count` decode-only requests that stay open and returns the workers chosen, numbered from 0. */
function chosen(settings: Record<string, unknown>, count: number, decode: number, seed = 1): number[] {
  const router = routerOf({ decider: "never", ...settings }, { prefill: 0, decode, seed });
  return Array.from({ length: count }, (_, id) => {
    const { decode: leg } = router.route(request(id, { symbols: [id], sessionKey: `s${id}` }), id);
    return leg!.worker;
  });
}

describe("every policy", () => {
  const names = POLICIES.map(({ name }) => name);

  it.each(names)("%s picks a healthy worker of the leg, whatever happens", (policy) => {
    const step = fc.tuple(fc.nat(5), fc.nat(20), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), (sequence, seed) => {
        const router = routerOf({ policy }, { prefill: 2, decode: 4, seed });
        const healthy = [true, true, true, true, true, true];
        sequence.forEach(([worker, which, flag], id) => {
          if (flag && which > 10) {
            healthy[worker] = !healthy[worker];
            router.setHealthy(worker, healthy[worker], id);
          } else if (flag) {
            router.updateStats(worker, { running: which, waiting: 0, kvUsage: which / 20, atMs: id });
          }
          if (flag && which === 3) router.forgetWorker(worker);
          const symbols = Array.from({ length: which % 5 }, (_, i) => (which % 3) * 10 + i);
          const sessionKey = which % 4 === 0 ? null : `s${which % 7}`;
          const { path, prefill, decode } = router.route(request(id, { symbols, sessionKey }), id);
          if (path === "rejected") {
            expect(healthy.slice(2)).not.toContain(true);
            return;
          }
          expect(decode!.worker).toBeGreaterThanOrEqual(2);
          expect(healthy[decode!.worker]).toBe(true);
          if (prefill !== null) {
            expect(prefill.worker).toBeLessThan(2);
            expect(healthy[prefill.worker]).toBe(true);
          }
          for (const leg of [prefill, decode]) {
            if (leg === null) continue;
            expect(leg.policy).toBe(policy);
            expect(leg.branch).not.toBe("");
            for (const figure of Object.values(leg.figures)) expect(Number.isFinite(figure)).toBe(true);
          }
          if (which % 2 === 0) router.onRequestEnd(id, "completed", id);
        });
      }),
      { numRuns: 60 },
    );
  });

  it.each(names)("%s decides alike for equal seeds", (policy) => {
    expect(chosen({ policy }, 200, 5, 42)).toEqual(chosen({ policy }, 200, 5, 42));
  });
});

describe("balance", () => {
  it("round_robin differs by at most one request between workers", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(200), (decode, count) => {
        const counts = tally(chosen({ policy: "round_robin" }, count, decode));
        if (count >= decode) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each(["random", "rotating", "first"])(
    "in_flight differs by at most one open request, ties %s",
    (ties) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(200), fc.nat(), (decode, count, seed) => {
          const counts = tally(chosen({ policy: "in_flight", ties }, count, decode, seed));
          if (count >= decode) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }),
      );
    },
  );

  it("random gives every worker its share, within five standard deviations", () => {
    const counts = tally(chosen({ policy: "random" }, 8000, 4));
    for (const count of counts)
      expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(8000 * 0.25 * 0.75));
  });

  it("power_of_two stays closer to even than random does", () => {
    const spread = (policy: string) => {
      const counts = tally(chosen({ policy }, 8000, 8));
      return Math.max(...counts) - Math.min(...counts);
    };
    expect(spread("power_of_two")).toBeLessThan(10);
    expect(spread("random")).toBeGreaterThan(20);
  });

  it("random ties go to every worker, not to the first", () => {
    const router = routerOf({ decider: "never", policy: "in_flight" }, { prefill: 0, decode: 4 });
    const counts = [0, 0, 0, 0];
    for (let id = 0; id < 4000; id++) {
      counts[router.route(request(id), id).decode!.worker]!++;
      router.onRequestEnd(id, "completed", id);
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it("rotating ties go round", () => {
    const router = routerOf(
      { decider: "never", policy: "in_flight", ties: "rotating" },
      { prefill: 0, decode: 3 },
    );
    const order = [0, 1, 2, 3, 4, 5].map((id) => {
      const { worker } = router.route(request(id), id).decode!;
      router.onRequestEnd(id, "completed", id);
      return worker;
    });
    expect(order).toEqual([0, 1, 2, 0, 1, 2]);
  });
});
