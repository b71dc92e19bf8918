import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CircuitBreaker, type Verdict } from "../../../src/proxy/workers/circuit-breaker.js";

const SETTINGS = { failureThreshold: 3, windowMs: 5000, successThreshold: 2, openMs: 1000 };

/** Plays a story: `f`, `s`, `u` are legs that end faulty, sound or unknown; `+N` lets N ms go by. */
function play(story: string): CircuitBreaker {
  const breaker = new CircuitBreaker();
  let nowMs = 0;
  const verdicts: Record<string, Verdict> = { f: "faulty", s: "sound", u: "unknown" };
  for (const word of story.split(" ")) {
    if (word.startsWith("+")) nowMs += Number(word.slice(1));
    breaker.refresh(SETTINGS, nowMs);
    const verdict = verdicts[word];
    if (verdict !== undefined && breaker.admits) breaker.onLegEnd(breaker.onLeg(), verdict, SETTINGS, nowMs);
  }
  return breaker;
}

describe("a circuit breaker", () => {
  it.each([
    ["f f", "closed"],
    ["f f f", "open"],
    ["f f +4999 f", "open"],
    ["f f +5000 f", "closed"],
    ["f +3000 f +3000 f f", "open"],
    ["f f s f f", "closed"],
    ["f f u f", "open"],
    ["f f f +999", "open"],
    ["f f f +1000", "half_open"],
    ["f f f +1000 s", "half_open"],
    ["f f f +1000 s s", "closed"],
    ["f f f +1000 f", "open"],
    ["f f f +1000 s f", "open"],
    ["f f f +1000 s f +1000 s", "half_open"],
    ["f f f +1000 u s s", "closed"],
    ["f f f +1000 s s f f", "closed"],
  ])("after %s is %s", (story, state) => {
    expect(play(story).state).toBe(state);
  });

  it("lets one leg at a time through when it is half open", () => {
    const breaker = play("f f f +1000");
    const probe = breaker.onLeg();
    expect(breaker.admits).toBe(false);
    breaker.onLegEnd(probe, "unknown", SETTINGS, 1000);
    expect(breaker.admits).toBe(true);
  });

  it("pays no heed to legs from before it opened", () => {
    const breaker = new CircuitBreaker();
    const legs = Array.from({ length: 5 }, () => breaker.onLeg());
    for (const leg of legs.slice(0, 3)) breaker.onLegEnd(leg, "faulty", SETTINGS, 0);
    breaker.refresh(SETTINGS, 1000);
    const probe = breaker.onLeg();
    breaker.onLegEnd(legs[3]!, "faulty", SETTINGS, 1000);
    expect(breaker.state).toBe("half_open");
    expect(breaker.admits).toBe(false);
    breaker.onLegEnd(probe, "sound", SETTINGS, 1000);
    breaker.onLegEnd(breaker.onLeg(), "sound", SETTINGS, 1000);
    breaker.onLegEnd(legs[4]!, "faulty", SETTINGS, 1000);
    expect(breaker.state).toBe("closed");
  });

  it("never has more than one leg of a half-open period under way, and admits again after openMs", () => {
    const step = fc.oneof(fc.constant("leg"), fc.constant("end"), fc.integer({ min: 1, max: 700 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 60 }), (steps) => {
        const breaker = new CircuitBreaker();
        const open: number[] = [];
        let probes = 0;
        let nowMs = 0;
        for (const [what, isSound] of steps) {
          if (typeof what === "number") nowMs += what;
          breaker.refresh(SETTINGS, nowMs);
          if (breaker.state !== "half_open") probes = 0;
          if (what === "leg" && breaker.admits) {
            if (breaker.state === "half_open") probes++;
            open.push(breaker.onLeg());
          }
          if (what === "end" && open.length > 0) {
            const before = breaker.state;
            const period = open.pop()!;
            breaker.onLegEnd(period, isSound ? "sound" : "faulty", SETTINGS, nowMs);
            if (before === "half_open" && breaker.admits) probes = 0;
          }
          expect(probes).toBeLessThanOrEqual(1);
        }
        for (const period of open) breaker.onLegEnd(period, "unknown", SETTINGS, nowMs);
        breaker.refresh(SETTINGS, nowMs + SETTINGS.openMs);
        expect(breaker.admits).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
