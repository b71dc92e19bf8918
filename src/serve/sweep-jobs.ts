import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InterruptedError, PdbenchError } from "../errors.js";
import { formatDuration } from "../report/format.js";
import { reportOnSweep } from "../report/write-report.js";
import { writeSweep } from "../report/write-sweep.js";
import { holdingDirectory } from "../sweep/directory-lock.js";
import type { Executor } from "../sweep/executor.js";
import { runSweep, secondsLeft, type SweepProgress } from "../sweep/run-sweep.js";
import { checkSweepFolder, SWEEP_LOG_FILE } from "../sweep/sweep-log.js";
import type { PlannedSweep } from "./plan-form.js";
import { formFile, type SweepForm } from "./sweep-form.js";

/** `waiting` for an earlier sweep to end; `stopped` by the user, and can go on. */
export type JobStatus = "waiting" | "running" | "done" | "stopped" | "failed";

/** A sweep that was started here, as pages show it. */
export interface JobState {
  readonly id: number;
  /** Folder of its results, below the folder that is shown. */
  readonly out: string;
  readonly status: JobStatus;
  readonly done: number;
  readonly total: number;
  /** How far it is, in words. */
  readonly words: string;
}

/** True for a sweep that has not ended. */
export function isActive({ status }: Pick<JobState, "status">): boolean {
  return status === "waiting" || status === "running";
}

export interface JobOptions {
  readonly execute: Executor;
  readonly nowMs: () => number;
  /** Called with what was thrown when pdbench itself is at fault. */
  readonly onDefect: (error: unknown) => void;
}

interface Job {
  readonly id: number;
  readonly sweep: PlannedSweep;
  readonly stop: AbortController;
  status: JobStatus;
  startedMs: number;
  progress: SweepProgress;
  /** How it ended. */
  outcome: string;
}

/** The sweeps that were started from a form, one at a time: each takes all cores. */
export class SweepJobs {
  private readonly options: JobOptions;
  private readonly jobs: Job[] = [];
  private readonly listeners = new Set<() => void>();
  private last: Promise<void> = Promise.resolve();

  constructor(options: JobOptions) {
    this.options = options;
  }

  /** Starts a sweep, or lets it wait for earlier ones. @returns its id */
  start(sweep: PlannedSweep): number {
    const { points, seeds } = sweep.plan;
    const job: Job = {
      id: this.jobs.length + 1,
      sweep,
      stop: new AbortController(),
      status: "waiting",
      startedMs: 0,
      progress: { done: 0, failed: 0, earlier: 0, total: points.length * seeds.length },
      outcome: "",
    };
    this.jobs.push(job);
    this.last = this.last.then(() => this.run(job));
    return job.id;
  }

  /** Every sweep since the start of the server, the latest first. */
  states(): readonly JobState[] {
    return this.jobs.map((job) => this.stateOf(job)).reverse();
  }

  /** The form a sweep was started from; null = there is no such sweep. */
  formOf(id: number): SweepForm | null {
    return this.jobs[id - 1]?.sweep.form ?? null;
  }

  /** The command line that does the same as a sweep that there is. */
  commandOf(id: number): string {
    return this.jobs[id - 1]!.sweep.command;
  }

  /** Stops a sweep that runs or waits; what it has finished is kept. */
  stop(id: number): void {
    this.jobs[id - 1]?.stop.abort();
    this.changed();
  }

  /** Calls `listener` whenever something has changed, until the function that is returned is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops all sweeps; resolves when the last of them has put down its results. */
  async close(): Promise<void> {
    for (const { stop } of this.jobs) stop.abort();
    await this.last;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  private async run(job: Job): Promise<void> {
    const { directory } = job.sweep;
    if (job.stop.signal.aborted) {
      this.end(job, "stopped", "stopped before it began");
      return;
    }
    job.status = "running";
    job.startedMs = this.options.nowMs();
    this.changed();
    try {
      // The folder may have changed while the sweep waited.
      checkSweepFolder(directory);
      await holdingDirectory(directory, () => this.sweep(job));
      const { failed, total } = job.progress;
      const took = `in ${formatDuration(this.elapsedS(job))}`;
      this.end(
        job,
        "done",
        failed === 0 ? `all ${total} runs are done, ${took}` : failureWords(job.progress),
      );
    } catch (error) {
      if (error instanceof InterruptedError) {
        const { done, total } = job.progress;
        this.end(
          job,
          "stopped",
          `stopped at ${done} of ${total} runs, which are kept: it can go on from there`,
        );
      } else {
        this.fail(job, error);
      }
    }
  }

  private fail(job: Job, error: unknown): void {
    // Bad input, or the file system that says no: all else is ours.
    const isExplained = error instanceof PdbenchError || (error instanceof Error && "syscall" in error);
    if (!isExplained) this.options.onDefect(error);
    this.end(job, "failed", error instanceof Error ? error.message : String(error));
  }

  private async sweep(job: Job): Promise<void> {
    const { plan, directory, form } = job.sweep;
    const file = formFile(directory, form);
    const log = join(directory, SWEEP_LOG_FILE);
    let isFormKept = false;
    const sweep = await runSweep(plan, {
      directory,
      keepRuns: form.keepsRuns,
      execute: this.options.execute,
      signal: job.stop.signal,
      onProgress: (progress) => {
        job.progress = progress;
        // Not before there is a result: a folder that holds a form alone is none that a sweep may go on in.
        if (!isFormKept && existsSync(log)) {
          writeFileSync(file.path, file.text);
          isFormKept = true;
        }
        this.changed();
      },
    });
    await writeSweep(directory, sweep, reportOnSweep(sweep));
  }

  private end(job: Job, status: JobStatus, outcome: string): void {
    job.status = status;
    job.outcome = outcome;
    this.changed();
  }

  private elapsedS({ startedMs }: Job): number {
    return (this.options.nowMs() - startedMs) / 1000;
  }

  private stateOf(job: Job): JobState {
    const { id, sweep, status, progress } = job;
    const { done, total } = progress;
    return { id, out: sweep.form.out, status, done, total, words: this.wordsOf(job) };
  }

  private wordsOf(job: Job): string {
    if (job.outcome !== "") return job.outcome;
    const { done, total, failed, earlier } = job.progress;
    if (job.stop.signal.aborted) return "stopping";
    if (job.status === "waiting") return `${total} runs, waiting for the sweep before it`;
    const left = secondsLeft(job.progress, this.elapsedS(job));
    const words = [
      `${done} of ${total} runs`,
      earlier > 0 ? `${earlier} of them from before` : "",
      done === total ? "writing the report" : left === null ? "starting" : `${formatDuration(left)} left`,
      failed > 0 ? `${failed} failed` : "",
    ];
    return words.filter((word) => word !== "").join(", ");
  }
}

function failureWords({ failed, total }: SweepProgress): string {
  return `${total - failed} of ${total} runs are done, ${failed} failed: the report says why`;
}
