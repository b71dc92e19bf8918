import { hostname } from "node:os";
import { Worker, WaitingError, type Job } from "bullmq";
import type { Redis } from "ioredis";
import { WorkError } from "../../errors.js";
import { packageVersion } from "../../package-info.js";
import type { TaskResult } from "../executor.js";
import { SimulationThread } from "../simulation-thread.js";
import type { TaskInput } from "../task-runner.js";
import { BlobCache } from "./blob-cache.js";
import { BlobStore } from "./blob-store.js";
import { connectRedis, type RedisUrl } from "./redis-connection.js";
import { JOB_SCHEMA, KEY_PREFIX, packResult, QUEUE, resultsKey, type SweepJob } from "./sweep-job.js";
import { decodeTrace } from "./trace-blob.js";

export interface QueueWorkerOptions {
  readonly redis: RedisUrl;
  /** Runs at once. */
  readonly threads: number;
  /** Where content is kept by its hash. */
  readonly cacheDirectory: string;
  /** A worker that does not show up for this long has lost its jobs to others, ms. */
  readonly stalledAfterMs: number;
  /** End after so long without a job, ms; null = never. */
  readonly idleExitMs: number | null;
  /** Finishes the running jobs and takes no more. */
  readonly signal: AbortSignal;
  readonly note: (message: string) => void;
}

/** A job whose worker died this often is not tried again: it may be the reason. */
const MAX_STALLED = 5;

/**
 * Takes runs from the queue until `signal` or a long idle time ends it.
 *
 * @returns how many runs it has done
 * @throws InputError when the server refuses the login
 * @throws WorkError when the server cannot be reached, or a job is of another version of pdbench
 */
export async function runQueueWorker(options: QueueWorkerOptions): Promise<number> {
  const redis = await connectRedis(options.redis, options.note);
  const worker = new QueueWorker(redis, options);
  try {
    return await worker.run();
  } finally {
    redis.disconnect();
  }
}

class QueueWorker {
  private readonly redis: Redis;
  private readonly options: QueueWorkerOptions;
  private readonly name = `${hostname()}-${process.pid}`;
  private readonly threads: readonly SimulationThread[];
  private readonly free: SimulationThread[];
  private readonly traces: BlobCache<ReturnType<typeof decodeTrace>>;
  private readonly profiles: BlobCache<string>;
  private readonly end = new AbortController();
  private done = 0;
  private running = 0;
  private refusal: WorkError | null = null;
  private idle: NodeJS.Timeout | null = null;

  constructor(redis: Redis, options: QueueWorkerOptions) {
    this.redis = redis;
    this.options = options;
    this.threads = Array.from({ length: options.threads }, () => new SimulationThread());
    this.free = [...this.threads];
    const store = new BlobStore(redis);
    const { cacheDirectory, note } = options;
    this.traces = new BlobCache(store, cacheDirectory, decodeTrace, note);
    this.profiles = new BlobCache(store, cacheDirectory, (bytes) => bytes.toString("utf8"), note);
  }

  async run(): Promise<number> {
    const { threads, stalledAfterMs, signal } = this.options;
    const worker = new Worker<SweepJob>(QUEUE, (job, token) => this.take(job, token), {
      connection: this.redis,
      prefix: KEY_PREFIX,
      name: this.name,
      concurrency: threads,
      lockDuration: stalledAfterMs,
      stalledInterval: stalledAfterMs,
      maxStalledCount: MAX_STALLED,
    });
    // A lost lock or connection: the job is given to another worker, and the connection tells of itself.
    worker.on("error", () => undefined);
    this.waitForWork();
    try {
      await untilAborted(AbortSignal.any([signal, this.end.signal]));
      await worker.close();
    } finally {
      if (this.idle !== null) clearTimeout(this.idle);
      await Promise.all(this.threads.map((thread) => thread.end()));
    }
    if (this.refusal !== null) throw this.refusal;
    return this.done;
  }

  private async take(job: Job<SweepJob>, token: string | undefined): Promise<void> {
    const refusal = refusalOf(job.data);
    if (refusal !== null || this.refusal !== null) {
      // Another worker may be of the right version: the job goes back as if it had never been taken.
      await job.moveToWait(token);
      this.refusal ??= refusal;
      this.end.abort();
      throw new WaitingError();
    }
    this.running++;
    if (this.idle !== null) clearTimeout(this.idle);
    try {
      await this.work(job);
    } finally {
      this.running--;
      this.waitForWork();
    }
  }

  private async work({ id, data }: Job<SweepJob>): Promise<void> {
    const results = resultsKey(data.study);
    if ((await this.redis.exists(results)) === 0) return;
    const { summary, error } = await this.simulate(await this.inputOf(data));
    const packed = packResult({ summary, error });
    await this.redis.xadd(results, "NOMKSTREAM", "*", "job", id!, "worker", this.name, "result", packed);
    this.done++;
  }

  private async inputOf({ scenario, trace, profiles, stopBelow }: SweepJob): Promise<TaskInput> {
    const texts: Record<string, string> = {};
    for (const [path, hash] of Object.entries(profiles)) texts[path] = await this.profiles.get(hash);
    return {
      task: { id: 0, scenario, trace, directory: null, stopBelow },
      trace: trace === null ? null : await this.traces.get(trace),
      profiles: texts,
    };
  }

  private async simulate(input: TaskInput): Promise<TaskResult> {
    // BullMQ runs no more jobs at once than there are threads.
    const thread = this.free.pop()!;
    try {
      return await thread.run(input);
    } finally {
      this.free.push(thread);
    }
  }

  private waitForWork(): void {
    const { idleExitMs } = this.options;
    if (idleExitMs === null || this.running > 0) return;
    this.idle = setTimeout(() => this.end.abort(), idleExitMs);
  }
}

/** What every version of pdbench says of a job. */
interface JobOfAnyVersion {
  readonly schema: string;
  readonly version: string;
  readonly study: string;
}

/** Why a job is not for this pdbench, or null. */
function refusalOf({ schema, version, study }: JobOfAnyVersion): WorkError | null {
  const own = packageVersion();
  if (schema === JOB_SCHEMA && version === own) return null;
  return new WorkError(
    `the queue holds jobs of pdbench ${version} (${schema}, sweep ${study.slice(0, 12)}), and this worker is ` +
      `pdbench ${own} (${JOB_SCHEMA}): expected workers of the coordinator's version`,
  );
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
