import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POLICIES } from "../../src/routing/registry.js";
import { resolveRouterConfig } from "../../src/routing/router-config.js";
import { Router } from "../../src/routing/router.js";
import type { RouteDecision } from "../../src/routing/types.js";
import { request, workers } from "./builders.js";

const PREFILL = 3;
const DECODE = 40;
const FLEET = PREFILL + DECODE;

interface Step {
  readonly kind: "route" | "end" | "health" | "stats" | "forget" | "stored" | "removed";
  readonly which: number;
  readonly draw: number;
}

const aStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(["route", "route", "route", "route", "end", "end", "stats", "health", "forget"] as const),
    ...(["stored", "stored", "removed"] as const),
  ),
  which: fc.nat(1000),
  draw: fc.nat(1000),
});

/** One of a few families of prompts, whose symbols each name the whole prefix. */
function promptOf(which: number): number[] {
  return Array.from({ length: which % 6 }, (_, i) => (which % 5) * 1000 + (i < 3 ? i : 10 * i + (which % 2)));
}

/** Every decision of a router that lives through `steps`. */
function decisions(settings: Record<string, unknown>, steps: readonly Step[]): RouteDecision[] {
  const config = { decider: "always", ...settings };
  const router = new Router(resolveRouterConfig(config).config, workers(PREFILL, DECODE), 7);
  const healthy = new Array<boolean>(FLEET).fill(true);
  const open: number[] = [];
  const all: RouteDecision[] = [];
  steps.forEach(({ kind, which, draw }, id) => {
    const worker = which % FLEET;
    const nowMs = 20 * id;
    const symbols = promptOf(draw);
    if (kind === "stats")
      router.updateStats(worker, { running: draw % 4, waiting: 0, kvUsage: 0.5, atMs: nowMs });
    else if (kind === "forget") router.forgetWorker(worker);
    else if (kind === "health") router.setHealthy(worker, (healthy[worker] = !healthy[worker]), nowMs);
    else if (kind === "end" && open.length > 0) {
      const outcome = (["completed", "cancelled", "retryable"] as const)[draw % 3]!;
      router.onRequestEnd(open.splice(which % open.length, 1)[0]!, outcome, nowMs);
    } else if (kind === "route") {
      const sessionKey = draw % 3 === 0 ? null : `s${draw % 7}`;
      const decision = router.route(request(id, { symbols, sessionKey }), nowMs);
      all.push(decision);
      if (decision.path !== "rejected") open.push(id);
    } else if (kind === "stored" || kind === "removed") {
      router.onKvEvent({ worker, kind, symbols: Int32Array.from(symbols) });
    }
  });
  return all;
}

/** Every policy, with each value of `ties` and some settings that take another way. */
const CASES: readonly Record<string, unknown>[] = [
  ...POLICIES.flatMap(({ name, parameters }) => {
    const hasTies = parameters.some((parameter) => parameter.name === "ties");
    return (hasTies ? ["random", "rotating", "first"] : [null]).map((ties) => ({
      policy: name,
      ...(ties === null ? {} : { ties }),
    }));
  }),
  { policy: "cache_aware", ties: "fewest_routed", balance_abs_threshold: 1 },
  { policy: "cache_aware", form: "compat", balance_abs_threshold: 1 },
  { policy: "cache_aware", balance_gate: "healthy", balance_abs_threshold: 1 },
  { policy: "cache_aware", load_accounting: { leak_on_disconnect: true, health_check_resets_load_s: 0.5 } },
  { policy: "in_flight", load_unit: "prompt_tokens" },
  { policy: "in_flight", load_accounting: { double_decrement_on_retryable_status: true } },
  { policy: "least_loaded", without_stats: "in_flight" },
  { policy: "sticky_least_loaded", assign_by: "in_flight", migrate_abs_threshold: 1, ties: "rotating" },
  { policy: "dynamo_two_tier", index_ttl_s: 0.1, balance_abs_threshold: 1 },
  { policy: "dynamo_two_tier", kv_index: "kv_events", cache_threshold: 0 },
  { policy: "aibrix_prefix_cache", index_ttl_s: 0.1, imbalance_abs_threshold: 1 },
  { policy: "ray_prefix_affinity", imbalanced_threshold: 1, ties: "rotating" },
];

describe("a policy asked about the whole fleet decides as when it is asked about any workers", () => {
  // With `same_group` in a fleet of one group every choice is among a list made for it, which is scanned.
  it.each(CASES.map((settings) => [JSON.stringify(settings), settings] as const))("%s", (_, settings) => {
    fc.assert(
      fc.property(fc.array(aStep, { minLength: 60, maxLength: 150 }), (steps) => {
        const whole = decisions(settings, steps);
        expect(whole).toEqual(decisions({ ...settings, pairing: "same_group" }, steps));
      }),
      { numRuns: 10 },
    );
  });
});
