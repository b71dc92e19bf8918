import { describe, expect, it } from "vitest";
import { DEFAULT_RESILIENCE } from "../../../src/proxy/resilience.js";
import { HealthRecord } from "../../../src/proxy/workers/health-record.js";
import { isHeldBack } from "../../../src/proxy/workers/slow-start.js";

const SETTINGS = DEFAULT_RESILIENCE.health!;
/** The middle of the window: no jitter. */
const MIDDLE = 0.5;

/** Plays results: `s` a check that succeeds, `f` one that fails, `c` a connection that cannot be made. */
function play(story: string, state: "assumed" | "down" = "assumed"): HealthRecord {
  const record = new HealthRecord(state);
  for (const word of story.split("")) {
    if (word === "c") record.onConnectFailure(SETTINGS, 0);
    else record.onResult(word === "s", SETTINGS, 0, MIDDLE);
  }
  return record;
}

describe("the health of a worker", () => {
  it.each([
    ["", "assumed"],
    ["f", "down"],
    ["s", "up"],
    ["fs", "up"],
    ["sff", "up"],
    ["sfff", "down"],
    ["sffsff", "up"],
    ["sccc", "down"],
    ["sfcf", "down"],
    ["sfffs", "down"],
    ["sfffss", "up"],
    ["sfffsfs", "down"],
    ["sfffsfss", "up"],
    ["sfffc", "down"],
  ])("after %s is %s", (story, state) => {
    expect(play(story).state).toBe(state);
  });

  it("of a worker that must answer first is down until it does", () => {
    expect(play("", "down").state).toBe("down");
    expect(play("ff", "down").state).toBe("down");
    expect(play("ffs", "down").state).toBe("up");
  });

  it.each([
    ["s", 60_000],
    ["sf", 5000],
    ["sfff", 250],
    ["sfffff", 1000],
    ["sfff" + "f".repeat(20), 60_000],
    ["f" + "f".repeat(20), 30_000],
    ["sfffs", 5000],
  ])("after %s is checked again in %i ms", (story, waitMs) => {
    const record = play(story);
    expect(record.isDue(waitMs - 1)).toBe(false);
    expect(record.isDue(waitMs)).toBe(true);
  });

  it("is checked at once when a connection cannot be made, but by one check at a time", () => {
    const record = play("s");
    record.onConnectFailure(SETTINGS, 10);
    expect(record.isDue(10)).toBe(true);
    record.onCheck();
    record.onConnectFailure(SETTINGS, 20);
    expect(record.isDue(1e9)).toBe(false);
  });

  it("is checked at moments that spread by a tenth either way", () => {
    const due = [0, 0.999].map((draw) => {
      const record = new HealthRecord("assumed");
      record.onResult(true, SETTINGS, 0, draw);
      return [53_999, 54_000, 65_980, 66_000].map((ms) => record.isDue(ms));
    });
    expect(due).toEqual([
      [false, true, true, true],
      [false, false, false, true],
    ]);
  });
});

describe("a worker that warms up", () => {
  it.each([
    [0, [10, 10], 0, false],
    [1, [10, 10], 0, true],
    [4, [10, 10], 500, false],
    [5, [10, 10], 500, true],
    [9, [10, 10], 900, true],
    [99, [10, 10], 1000, false],
    [99, [], 0, false],
  ])("with %i open legs while others have %j, after %i ms of 1000, waits: %s", (open, others, ms, held) => {
    expect(isHeldBack(open, others, ms, 1000)).toBe(held);
  });
});
