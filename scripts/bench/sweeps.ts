import { REPORT_FORMATS, reportOnSweep, reportText } from "../../src/report/write-report.js";
import { parseScenarioSource } from "../../src/scenario/scenario-source.js";
import type { Executor } from "../../src/sweep/executor.js";
import { localExecutor } from "../../src/sweep/local-executor.js";
import { planSweep } from "../../src/sweep/plan.js";
import { runSweep } from "../../src/sweep/run-sweep.js";
import type { SweepResult } from "../../src/sweep/sweep-result.js";
import { rates, taken, type BenchCase } from "./measure.js";

/** 48 runs that share their requests. */
const SWEEP = `
name: bench
fleet: { prefill: { workers: 2, profile: llama-3.1-8b-h100-tp1-bf16 }, decode: { workers: 2 } }
workload: { generate: { kind: multi_turn_chat, rate: 8 }, requests: 2000 }
router: { decider: { kind: threshold } }
sweep: { routing_threshold: [0, 500, 1000, 2000], policy: [round_robin, least_loaded, cache_aware], seeds: 4 }
`;

function sweepOn(execute: Executor): Promise<SweepResult> {
  return runSweep(planSweep(parseScenarioSource(SWEEP, "bench.yaml"), [], null), {
    directory: null,
    keepRuns: false,
    execute,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

/**
 * One thread and two, in turns, once they have started: a second thread that is for free doubles the speed and costs no
 * CPU time.
 */
export const sweepThreads: BenchCase = {
  async run() {
    const [onOne, onTwo] = [localExecutor(1), localExecutor(2)];
    for (const execute of [onOne, onTwo]) await sweepOn(execute);
    const speedup: number[] = [];
    const cpu: number[] = [];
    let runs = 0;
    let oneS = 0;
    for (let round = 0; round < 2; round++) {
      const one = await taken(async () => {
        runs = (await sweepOn(onOne)).points.reduce((sum, point) => sum + point.runs.length, 0);
      });
      const two = await taken(() => sweepOn(onTwo));
      speedup.push(one.wallS / two.wallS);
      cpu.push(one.cpuS / two.cpuS);
      oneS = one.cpuS;
    }
    return {
      runs_per_cpu_s: runs / oneS,
      one_thread_wall_per_two: Math.max(...speedup),
      one_thread_cpu_per_two: Math.max(...cpu),
    };
  },
};

/** The report of 12 points under 4 seeds, in every format. */
export const reports: BenchCase = {
  async run() {
    const sweep = await sweepOn(localExecutor(1));
    return rates("reports", REPORT_FORMATS.length, 3, async () => {
      const report = reportOnSweep(sweep);
      for (const format of REPORT_FORMATS) await reportText(report, format);
    });
  },
};
