import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdmissionQueue, type AdmissionRefusal } from "../../../src/proxy/limits/admission-queue.js";
import { overdue, type Pace } from "../../../src/proxy/limits/pace.js";
import { DEFAULT_RESILIENCE, type LimitSettings } from "../../../src/proxy/resilience.js";

const LIMITS = { ...DEFAULT_RESILIENCE.limits, concurrentMax: 2, queueSize: 2, queueTimeoutMs: 1000 };

/** A queue whose applicants are letters; `log` has what became of them. */
function door(settings: LimitSettings = LIMITS) {
  const queue = new AdmissionQueue(() => settings);
  const log: string[] = [];
  const leaves = new Map<string, (nowMs: number) => void>();
  const enter = (name: string, nowMs = 0, priority = 0) => {
    const refuse = (reason: AdmissionRefusal) => void log.push(`${name} ${reason}`);
    leaves.set(name, queue.enter({ priority, admit: () => void log.push(name), refuse }, nowMs));
  };
  const leave = (name: string, nowMs = 0) => leaves.get(name)!(nowMs);
  return { queue, log, enter, leave };
}

describe("the queue at the door", () => {
  it("lets so many in, keeps so many waiting, and refuses the others", () => {
    const { queue, log, enter, leave } = door();
    for (const name of "abcde") enter(name);
    expect(log).toEqual(["a", "b", "e full"]);
    expect([queue.open, queue.waiting]).toEqual([2, 2]);
    leave("a");
    leave("a");
    expect(log.at(-1)).toBe("c");
    leave("d");
    leave("b");
    leave("c");
    expect([queue.open, queue.waiting]).toEqual([0, 0]);
  });

  it("lets the urgent go first, and take the place of the last that is less urgent", () => {
    const { log, enter, leave } = door();
    for (const name of "ab") enter(name);
    enter("c", 0, 5);
    enter("d", 0, 5);
    enter("e", 0, 1);
    enter("f", 0, 5);
    expect(log).toEqual(["a", "b", "d displaced", "f full"]);
    leave("a");
    leave("b");
    expect(log.slice(-2)).toEqual(["e", "c"]);
  });

  it("ends a wait when its time is over, and not before", () => {
    const { queue, log, enter } = door();
    for (const name of "abc") enter(name);
    queue.tick(999);
    expect(log).toEqual(["a", "b"]);
    queue.tick(1000);
    expect(log.at(-1)).toBe("c timeout");
  });

  it("without a queue refuses at once", () => {
    const { log, enter } = door({ ...LIMITS, queueSize: 0 });
    for (const name of "abc") enter(name);
    expect(log).toEqual(["a", "b", "c full"]);
  });

  it("lets no more begin in a second than the rate says", () => {
    const { queue, log, enter, leave } = door({ ...LIMITS, concurrentMax: 9, queueSize: 9, ratePerS: 2 });
    for (const name of "abcd") enter(name);
    expect(log).toEqual(["a", "b"]);
    for (const name of "ab") leave(name);
    queue.tick(499);
    expect(log).toHaveLength(2);
    queue.tick(500);
    expect(log).toEqual(["a", "b", "c"]);
  });

  it("says in whole seconds when a place may be free", () => {
    const { queue, enter, leave } = door({ ...LIMITS, queueTimeoutMs: 1e9 });
    expect(queue.retryAfterS()).toBe(1);
    for (const name of "abcd") enter(name);
    leave("a", 10_000);
    expect(queue.retryAfterS()).toBe(10);
    leave("b", 900_000);
    expect(queue.retryAfterS()).toBeLessThanOrEqual(60);
  });

  it("never has more inside or waiting than it may, and loses nobody", () => {
    const step = fc.record({
      what: fc.constantFrom("enter", "enter", "leave", "tick"),
      who: fc.nat(40),
      priority: fc.integer({ min: -1, max: 1 }),
      passMs: fc.nat(400),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { queue, log, enter, leave } = door();
        const entered: string[] = [];
        let nowMs = 0;
        for (const { what, who, priority, passMs } of steps) {
          nowMs += passMs;
          if (what === "tick") queue.tick(nowMs);
          if (what === "leave" && entered.length > 0) leave(entered[who % entered.length]!, nowMs);
          if (what === "enter") {
            entered.push(String(entered.length));
            enter(entered.at(-1)!, nowMs, priority);
          }
          expect(queue.open).toBeLessThanOrEqual(2);
          expect(queue.waiting).toBeLessThanOrEqual(2);
          if (queue.waiting > 0) expect(queue.open).toBe(2);
        }
        for (const name of entered) leave(name, nowMs);
        expect([queue.open, queue.waiting]).toEqual([0, 0]);
        const names = log.map((line) => line.split(" ")[0]);
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what has taken too long", () => {
  const limits = { ...LIMITS, requestTimeoutMs: 9000, workerIdleTimeoutMs: 500, slowReaderTimeoutMs: 700 };
  const pace: Pace = { arrivedMs: 0, bodyMs: null, pausedMs: null, legs: [] };
  const leg = (heardMs: number, cutMs = Infinity) => [{ leg: "decode" as const, heardMs, cutMs }];

  it.each<[string, Partial<Pace>, number, object | null]>([
    ["nothing", {}, 8999, null],
    ["the request", {}, 9000, { what: "request" }],
    ["a body in good time", { bodyMs: 100, arrivedMs: 55_000 }, 60_099, null],
    ["a body", { bodyMs: 100, arrivedMs: 55_000 }, 60_100, { what: "body" }],
    ["a client that does not read", { pausedMs: 100 }, 800, { what: "slow_reader" }],
    ["a worker", { legs: leg(100) }, 600, { what: "worker", leg: "decode" }],
    ["a worker that speaks", { legs: leg(101) }, 600, null],
    ["a worker that was removed, in its time", { legs: leg(800, 1000) }, 999, null],
    ["one whose time is over", { legs: leg(800, 1000) }, 1000, { what: "removed_worker", leg: "decode" }],
    [
      "one whose time is over, read or not",
      { legs: leg(Infinity, 1000), pausedMs: 999 },
      1000,
      { what: "removed_worker", leg: "decode" },
    ],
    ["a worker that is not read", { legs: leg(0), pausedMs: 100 }, 799, null],
  ])("is %s", (_, changes, nowMs, expected) => {
    expect(overdue({ ...pace, ...changes }, limits, nowMs)).toEqual(expected);
  });

  it("is nothing where there is no limit", () => {
    const none = {
      ...LIMITS,
      requestTimeoutMs: null,
      workerIdleTimeoutMs: null,
      slowReaderTimeoutMs: null,
    };
    expect(overdue({ ...pace, pausedMs: 0 }, none, 1e12)).toBeNull();
    expect(overdue({ ...pace, legs: leg(0) }, none, 1e12)).toBeNull();
  });
});
