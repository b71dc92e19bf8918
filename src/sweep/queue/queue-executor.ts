import { Queue, type Job } from "bullmq";
import type { Redis } from "ioredis";
import { packageVersion } from "../../package-info.js";
import type { Executor, ExecutorContext, SweepTask } from "../executor.js";
import { BlobStore } from "./blob-store.js";
import { connectRedis, type RedisUrl } from "./redis-connection.js";
import { ResultStream } from "./result-stream.js";
import { JOB_SCHEMA, jobId, KEEP_S, KEY_PREFIX, QUEUE, type SweepJob } from "./sweep-job.js";
import { encodeTrace } from "./trace-blob.js";

/** Jobs in one call to Redis. */
const BULK = 500;
/** Times a job is tried when something other than the simulation goes wrong (its trace cannot be fetched, ...). */
const ATTEMPTS = 3;
/** How often the coordinator looks for failed jobs, lost jobs and workers, ms. */
const LOOK_MS = 2000;

/**
 * Runs tasks on whatever `pdbench worker` processes there are at a Redis server.
 *
 * Jobs are named by their content and results stay in a stream until the sweep is whole: a coordinator that is
 * started again adds what is missing, reads what was found in the meantime, and takes every result once. A job
 * that vanishes (a server that lost its memory) is added again.
 */
export function queueExecutor(url: RedisUrl, warn: (message: string) => void): Executor {
  return async (tasks, context) => {
    if (tasks.length === 0) return;
    const redis = await connectRedis(url, warn);
    try {
      await new Coordinator(redis, tasks, context).run();
    } finally {
      redis.disconnect();
    }
  };
}

class Coordinator {
  private readonly redis: Redis;
  private readonly queue: Queue<SweepJob>;
  private readonly results: ResultStream;
  private readonly context: ExecutorContext;
  private readonly tasks: readonly SweepTask[];
  private canCountWorkers = true;
  /** Jobs without a result, by their names. */
  private readonly open = new Map<string, { readonly job: SweepJob; readonly tasks: SweepTask[] }>();

  constructor(redis: Redis, tasks: readonly SweepTask[], context: ExecutorContext) {
    this.redis = redis;
    this.tasks = tasks;
    this.context = context;
    this.queue = new Queue(QUEUE, {
      connection: redis,
      prefix: KEY_PREFIX,
      // Nobody reads BullMQ's own events.
      streams: { events: { maxLen: 100 } },
    });
    // Errors of the connection are told by the connection itself.
    this.queue.on("error", () => undefined);
    this.results = new ResultStream(redis, context.study);
  }

  async run(): Promise<void> {
    const onAbort = (): void => this.results.end();
    this.context.signal.addEventListener("abort", onAbort);
    try {
      await this.results.open();
      await this.prepare();
      await this.forgetFailed();
      await this.add();
      await this.collect();
      // Interrupted or done: workers pass over what is left in the queue.
      await this.results.remove();
    } finally {
      this.context.signal.removeEventListener("abort", onAbort);
      this.results.end();
      await this.queue.close();
    }
  }

  /** Makes the jobs. */
  private async prepare(): Promise<void> {
    const hashes = await this.upload();
    const version = packageVersion();
    for (const task of this.tasks) {
      const { scenario, trace, stopBelow } = task;
      const used = new Set([scenario.fleet.prefill.profile, scenario.fleet.decode.profile]);
      const job: SweepJob = {
        schema: JOB_SCHEMA,
        version,
        study: this.context.study,
        scenario,
        trace: trace === null ? null : hashes.traces.get(trace)!,
        profiles: Object.fromEntries([...hashes.profiles].filter(([path]) => used.has(path))),
        stopBelow,
      };
      const id = jobId(job);
      const known = this.open.get(id);
      if (known === undefined) this.open.set(id, { job, tasks: [task] });
      else known.tasks.push(task);
    }
  }

  /** Puts traces and profiles where workers find them. Returns their hashes. */
  private async upload(): Promise<Record<"traces" | "profiles", ReadonlyMap<string, string>>> {
    const blobs = new BlobStore(this.redis);
    const traces = new Map<string, string>();
    for (const [name, trace] of this.context.traces) traces.set(name, await blobs.put(encodeTrace(trace)));
    const profiles = new Map<string, string>();
    for (const [path, text] of Object.entries(this.context.profiles)) {
      profiles.set(path, await blobs.put(Buffer.from(text)));
    }
    return { traces, profiles };
  }

  /** Adds every open job; those that are in the queue already stay as they are. */
  private async add(): Promise<void> {
    const jobs = [...this.open].map(([id, { job }]) => ({
      name: "run",
      data: job,
      opts: {
        jobId: id,
        attempts: ATTEMPTS,
        backoff: { type: "exponential", delay: 1000 },
        // The result is in the stream; a failed job stays for the coordinator to find.
        removeOnComplete: true,
        removeOnFail: { age: KEEP_S },
      },
    }));
    for (let at = 0; at < jobs.length && !this.context.signal.aborted; at += BULK) {
      await this.queue.addBulk(jobs.slice(at, at + BULK));
    }
  }

  private async collect(): Promise<void> {
    const { signal } = this.context;
    let nextLookMs = 0;
    while (this.open.size > 0 && !signal.aborted) {
      if (performance.now() >= nextLookMs) {
        await this.look();
        nextLookMs = performance.now() + LOOK_MS;
      }
      await this.takeResults(LOOK_MS);
    }
  }

  /** What must be looked at now and then: who works, what failed, what was lost. */
  private async look(): Promise<void> {
    await this.countWorkers();
    await this.results.keep();
    await this.takeFailed();
    if (!(await this.isIdle())) return;
    await this.upload();
    await this.add();
  }

  private async countWorkers(): Promise<void> {
    if (!this.canCountWorkers) return;
    try {
      this.context.onWorkers?.(await this.queue.getWorkersCount());
    } catch {
      // A user without the right to list clients: the progress goes without the number.
      this.canCountWorkers = false;
    }
  }

  /** Nothing of the queue is left to do, and no result is waiting to be read: open jobs are lost. */
  private async isIdle(): Promise<boolean> {
    const counts = await this.queue.getJobCounts("wait", "active", "delayed", "prioritized");
    if (Object.values(counts).some((count) => count > 0)) return false;
    while (await this.takeResults(0));
    return this.open.size > 0;
  }

  /** Takes what is in the stream, waiting up to `waitMs` for it. Returns whether there was anything. */
  private async takeResults(waitMs: number): Promise<boolean> {
    const found = await this.results.read(waitMs);
    for (const { job, result } of found) {
      const open = this.open.get(job);
      // A job that stalled and was given to another worker may have two results; they are the same.
      if (open === undefined) continue;
      this.open.delete(job);
      for (const { id } of open.tasks) this.context.onResult({ id, ...result });
    }
    return found.length > 0;
  }

  /** Jobs that failed for good are results, too. */
  private async takeFailed(): Promise<void> {
    for (const job of await this.failedJobs()) {
      const open = this.open.get(job.id!);
      await job.remove();
      if (open === undefined) continue;
      this.open.delete(job.id!);
      const message = `the run failed on ${job.attemptsMade} workers: ${job.failedReason}`;
      for (const { id } of open.tasks) {
        this.context.onResult({ id, summary: null, error: { message, kind: "work" } });
      }
    }
  }

  /** Jobs that failed under an earlier coordinator get another chance. */
  private async forgetFailed(): Promise<void> {
    for (const job of await this.failedJobs()) await job.remove();
  }

  private async failedJobs(): Promise<readonly Job<SweepJob>[]> {
    const failed = await this.queue.getFailed(0, -1);
    return failed.filter(({ id }) => id?.startsWith(`${this.context.study}-`) === true);
  }
}
