import { expect, it } from "vitest";
import type { Scenario } from "../../src/scenario/schema.js";
import { TaskRunner } from "../../src/sweep/task-runner.js";
import { smallPlan } from "./sweep-bench.js";

const base = smallPlan().points[0]!.scenario;
const workload = (change: Partial<Scenario["workload"]>): Scenario => ({
  ...base,
  workload: { ...base.workload, ...change },
});

it("keeps the requests of the task before only for a task that has the same, sent at the same times", async () => {
  const scenarios = [
    base,
    base,
    { ...base, seed: 7 },
    workload({ rate: 3 }),
    workload({ requests: 40 }),
    base,
  ];
  const summaryOf = async (runner: TaskRunner, scenario: Scenario): Promise<string> => {
    const task = { id: 0, scenario, trace: null, directory: null, stopBelow: null };
    return (await runner.run({ task, trace: null, profiles: {} })).summary!;
  };
  const one = new TaskRunner();
  const seen: string[] = [];
  for (const scenario of scenarios) {
    const summary = await summaryOf(one, scenario);
    expect(summary).toBe(await summaryOf(new TaskRunner(), scenario));
    seen.push(summary);
  }
  expect(new Set(seen).size).toBe(4);
});
