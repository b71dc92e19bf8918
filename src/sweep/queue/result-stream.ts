import type { Redis } from "ioredis";
import { KEEP_S, resultsKey, unpackResult, type JobResult } from "./sweep-job.js";

export interface FoundResult {
  /** Name of the job. */
  readonly job: string;
  readonly result: JobResult;
}

/** Results in one call to Redis. */
const BATCH = 200;
const START = "0-0";

/** The results of a study, read from the first one on by each coordinator. */
export class ResultStream {
  private readonly redis: Redis;
  /** Waiting for results would hold up everything else on a shared connection. */
  private readonly reader: Redis;
  private readonly key: string;
  private last = START;
  private isEnded = false;

  constructor(redis: Redis, study: string) {
    this.redis = redis;
    this.reader = redis.duplicate();
    this.reader.on("error", () => undefined);
    this.key = resultsKey(study);
  }

  /** Makes the stream: workers take its existence as a sign that results are wanted. */
  async open(): Promise<void> {
    await this.redis.xadd(this.key, "*", "open", "");
    await this.redis.expire(this.key, KEEP_S);
  }

  /** Keeps the stream for longer, and makes it again where it is gone. */
  async keep(): Promise<void> {
    if ((await this.redis.expire(this.key, KEEP_S)) === 0) await this.open();
  }

  /** The next results, waiting up to `waitMs` for the first; none after `end`. */
  async read(waitMs: number): Promise<readonly FoundResult[]> {
    if (this.isEnded) return [];
    try {
      const reply = await (waitMs > 0
        ? this.reader.xreadBuffer("COUNT", BATCH, "BLOCK", waitMs, "STREAMS", this.key, this.last)
        : this.reader.xreadBuffer("COUNT", BATCH, "STREAMS", this.key, this.last));
      return this.take(reply);
    } catch (error) {
      if (this.hasEnded()) return [];
      throw error;
    }
  }

  private take(reply: StreamReply | null): FoundResult[] {
    const found: FoundResult[] = [];
    for (const [, entries] of reply ?? []) {
      for (const [id, fields] of entries) {
        this.last = id.toString();
        const [name, job, , , , result] = fields;
        if (name?.toString() !== "job") continue;
        found.push({ job: job!.toString(), result: unpackResult(result!) });
      }
    }
    return found;
  }

  /** Nobody wants the results any more: jobs that are left are passed over by workers. */
  async remove(): Promise<void> {
    await this.redis.del(this.key);
  }

  /** Also while a `read` waits. */
  private hasEnded(): boolean {
    return this.isEnded;
  }

  /** Ends a `read` that waits. */
  end(): void {
    this.isEnded = true;
    this.reader.disconnect();
  }
}

type StreamReply = readonly (readonly [Buffer, readonly (readonly [Buffer, readonly Buffer[]])[]])[];
