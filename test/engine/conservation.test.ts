import fc from "fast-check";
import { expect, it } from "vitest";
import { WorkError } from "../../src/errors.js";
import { VLLM_VERSIONS } from "../../src/engine/vllm-versions.js";
import { anEngineConfig, aRequest, aSpan, PiecewiseStepTime, TEN_MS_STEPS } from "./builders.js";
import { drive, type LoggedEvent, type Outcome } from "./driver.js";
import { randomScenario, type RandomScenario } from "./scenarios.js";

/** Runs a scenario and, long after it, one more request, so that every engine notices ended transfers. */
function run(scenario: RandomScenario): Outcome | null {
  const last = { atMs: 1e6, request: aRequest(-1, { promptTokens: 1, outputTokens: 1 }) };
  try {
    return drive({
      config: scenario.config,
      submissions: [...scenario.submissions, last],
      stepTime: new PiecewiseStepTime(400),
      time: "fast",
    });
  } catch (error) {
    if (error instanceof WorkError) return null;
    throw error;
  }
}

/**
 * vLLM can lock up when a loaded request holds KV behind a request that needs it: under the priority policy, and
 * before v0.19 behind preempted ones. Nothing then runs although requests wait.
 */
function isLockedUp({ config }: RandomScenario, { engine }: Outcome): boolean {
  const canLockUp = config.schedulingPolicy === "priority" || !config.rules.stableRemoteQueue;
  const { running, waiting } = engine.gauges(2e6);
  return canLockUp && running === 0 && waiting > 0;
}

const count = (events: readonly LoggedEvent[], what: LoggedEvent["what"]) =>
  events.filter((event) => event.what === what).length;

it("every request ends once, with its tokens, and every block comes back", () => {
  fc.assert(
    fc.property(randomScenario, (scenario) => {
      const outcome = run(scenario);
      if (outcome === null || isLockedUp(scenario, outcome)) return;
      const { maxModelLen } = scenario.config;
      let tokens = 0;
      for (const { request, abortAtMs } of scenario.submissions) {
        const events = outcome.events.get(request.id);
        if (events === undefined) {
          expect(outcome.engine.reject(request)).not.toBeNull();
          continue;
        }
        const end = events.at(-1)!;
        expect(end.what).toBe("finished");
        expect(count(events, "finished")).toBe(1);
        expect(count(events, "first")).toBe(end.tokens > 0 ? 1 : 0);
        expect(count(events, "scheduled")).toBeLessThanOrEqual(1);
        tokens += end.tokens;
        if (end.reason === "aborted") {
          expect(abortAtMs).toBeDefined();
        } else {
          const room = maxModelLen - request.promptTokens;
          expect(end.tokens).toBe(Math.min(request.outputTokens, room));
        }
      }
      const firsts = [...outcome.events.values()].reduce((sum, events) => sum + count(events, "first"), 0);
      expect(outcome.gapsMs).toHaveLength(tokens + 1 - firsts);
      expect(outcome.engine.blocksInUse()).toBe(0);
    }),
    { numRuns: Number(process.env["ENGINE_RUNS"] ?? 150) },
  );
});

it("no time runs backwards, and no token gap is negative", () => {
  fc.assert(
    fc.property(randomScenario, (scenario) => {
      const outcome = run(scenario);
      if (outcome === null) return;
      for (const events of outcome.events.values()) {
        for (let i = 1; i < events.length; i++) {
          expect(events[i]!.atMs).toBeGreaterThanOrEqual(events[i - 1]!.atMs);
        }
      }
      for (const gapMs of outcome.gapsMs) expect(gapMs).toBeGreaterThan(0);
    }),
    { numRuns: Number(process.env["ENGINE_RUNS"] ?? 150) },
  );
});

it("a lone engine that serves in order of arrival hits no less with more KV", () => {
  const turn = fc.record({ family: fc.nat(5), blocks: fc.integer({ min: 1, max: 8 }) });
  const hitTokens = (turns: readonly { family: number; blocks: number }[], numGpuBlocks: number) =>
    drive({
      config: anEngineConfig({ numGpuBlocks }),
      stepTime: TEN_MS_STEPS,
      time: "fast",
      // One after the other, so that what is cached depends on the past alone.
      submissions: turns.map(({ family, blocks }, id) => ({
        atMs: id * 1000,
        request: aRequest(id, {
          promptTokens: blocks * 16 + 1,
          content: aSpan(16, [[family * 100, blocks + 1]]),
        }),
      })),
    }).engine.totals().hitTokens;
  fc.assert(
    fc.property(
      fc.array(turn, { minLength: 2, maxLength: 40 }),
      fc.integer({ min: 10, max: 40 }),
      fc.integer({ min: 1, max: 20 }),
      (turns, blocks, more) => {
        expect(hitTokens(turns, blocks + more)).toBeGreaterThanOrEqual(hitTokens(turns, blocks));
      },
    ),
    { numRuns: 200 },
  );
});

it.each(Object.entries(VLLM_VERSIONS))(
  "under %s a request that needs all of the KV is served",
  (_, rules) => {
    const { events, engine } = drive({
      config: anEngineConfig({ numGpuBlocks: 9, rules }),
      stepTime: TEN_MS_STEPS,
      time: "fast",
      submissions: [
        { atMs: 0, request: aRequest(0, { promptTokens: 20, outputTokens: 30 }) },
        { atMs: 1, request: aRequest(1, { promptTokens: 100, outputTokens: 29 }) },
      ],
    });
    expect(events.get(1)!.at(-1)).toMatchObject({ what: "finished", tokens: 29 });
    expect(engine.blocksInUse()).toBe(0);
  },
);
