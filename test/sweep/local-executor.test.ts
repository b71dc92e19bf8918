import { describe, expect, it } from "vitest";
import { InterruptedError } from "../../src/errors.js";
import type { SweepTask, TaskResult } from "../../src/sweep/executor.js";
import * as sources from "../../src/sweep/local-executor.js";
import { built } from "../support/built.js";
import { comparable, run, SMALL_SWEEP, smallPlan } from "./sweep-bench.js";

const { localExecutor } = await built<typeof sources>("sweep/local-executor.js");

const context = {
  study: "test",
  traces: new Map(),
  profiles: {},
  signal: new AbortController().signal,
};

function taskOf(scenario: SweepTask["scenario"], id: number): SweepTask {
  return { id, scenario, trace: null, directory: null, stopBelow: null };
}

describe("worker threads", () => {
  it("give the same bytes whether there is one, or two, or none", async () => {
    const inline = comparable(await run(smallPlan()));
    expect(comparable(await run(smallPlan(), { execute: localExecutor(1) }))).toBe(inline);
    expect(comparable(await run(smallPlan(), { execute: localExecutor(2) }))).toBe(inline);
  });

  it("stop at once when the sweep is interrupted", async () => {
    const interruption = new AbortController();
    const long = smallPlan(SMALL_SWEEP.replace("requests: 60", "requests: 200000"));
    const interrupted = run(long, { execute: localExecutor(2), signal: interruption.signal });
    setTimeout(() => interruption.abort(), 50);
    await expect(interrupted).rejects.toThrow(InterruptedError);
  });

  it("stay for the next tasks", async () => {
    let started = 0;
    const onWorker = (): void => {
      started++;
    };
    process.on("worker", onWorker);
    const execute = localExecutor(2);
    const tasks = smallPlan().points.map(({ scenario }, id) => taskOf(scenario, id));
    const round = async (): Promise<number> => {
      let ended = 0;
      await execute(tasks, { ...context, onResult: () => ended++ });
      return ended;
    };
    expect([await round(), await round()]).toEqual([tasks.length, tasks.length]);
    expect(started).toBe(2);
    process.off("worker", onWorker);
  });

  it("report a run that goes wrong and go on with the next, from the sources as well", async () => {
    const [point] = smallPlan().points;
    const broken = { ...point!.scenario, workload: null } as unknown as SweepTask["scenario"];
    const tasks = [broken, point!.scenario].map(taskOf);
    const results: TaskResult[] = [];
    await sources.localExecutor(1)(tasks, { ...context, onResult: (result) => results.push(result) });
    expect(results.map(({ id, error }) => [id, error === null])).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  it("end when a result cannot be taken", async () => {
    const tasks = smallPlan().points.map(({ scenario }, id) => taskOf(scenario, id));
    const full = localExecutor(2)(tasks, {
      ...context,
      onResult: () => {
        throw new Error("no space left on device");
      },
    });
    await expect(full).rejects.toThrow("no space left");
  });
});
