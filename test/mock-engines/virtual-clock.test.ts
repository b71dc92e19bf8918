import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../mock-engines/virtual-clock.js";
import { until } from "./fleet.js";

describe("the virtual clock", () => {
  it("rings in order of due time, ties in the order they were set, whatever order that was", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
        async (delays) => {
          const clock = new VirtualClock(0.01);
          const rung: [number, number][] = [];
          for (const [i, delay] of delays.entries()) clock.at(delay, (dueMs) => rung.push([dueMs, i]));
          await until(() => rung.length === delays.length);
          clock.close();
          const expected = delays.map((delay, i): [number, number] => [delay, i]);
          expect(rung).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("tells a callback when it was due, so that periods do not drift", async () => {
    const clock = new VirtualClock(0.1);
    const due: number[] = [];
    const alarm = clock.alarm((dueMs) => {
      due.push(dueMs);
      if (due.length < 50) alarm.set(dueMs + 3);
    });
    alarm.set(3);
    await until(() => due.length === 50);
    clock.close();
    expect(due.at(-1)).toBe(150);
  });

  it("lets all that is due happen before it tells the time to whoever catches up", async () => {
    const clock = new VirtualClock(0.01);
    let rung = false;
    clock.at(1, () => (rung = true));
    await until(() => clock.nowMs() > 1);
    expect(clock.catchUp()).toBeGreaterThan(1);
    expect(rung).toBe(true);
    clock.close();
  });

  it("forgets an alarm that is moved away or taken back", async () => {
    const clock = new VirtualClock(0.01);
    const rung: string[] = [];
    clock.at(1, () => rung.push("taken back"))();
    const alarm = clock.alarm(() => rung.push("moved"));
    alarm.set(2);
    alarm.set(Infinity);
    clock.at(3, () => rung.push("kept"));
    await until(() => rung.includes("kept"));
    clock.close();
    expect(rung).toEqual(["kept"]);
  });

  it("runs as much faster as the time scale says", async () => {
    const slow = new VirtualClock(1);
    const fast = new VirtualClock(0.01);
    await slow.sleep(5);
    const ratio = fast.nowMs() / slow.nowMs();
    expect(ratio).toBeGreaterThan(90);
    expect(ratio).toBeLessThan(110);
    slow.close();
    fast.close();
  });
});
