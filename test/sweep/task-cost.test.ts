import { expect, it } from "vitest";
import { longestFirst } from "../../src/sweep/task-cost.js";
import { smallPlan } from "./sweep-bench.js";

it("long runs start first, equal ones keep their order", () => {
  const text = `
workload: { generate: { kind: lengths } }
sweep: { requests: [10, 1000, 100], engine.block_size: [16, 128], policy: [random, round_robin] }
`;
  const tasks = smallPlan(text).points.map(({ scenario }, id) => {
    return { id, scenario, trace: null, directory: null, stopBelow: null };
  });
  const order = longestFirst(tasks, new Map()).map(({ id }) => id);
  expect(order).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3]);
});
