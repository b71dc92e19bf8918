import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Scenario } from "../../scenario/schema.js";
import type { TaskResult } from "../executor.js";

/** Every key of pdbench in Redis starts with this, those of BullMQ too. */
export const KEY_PREFIX = "pdbench";
/** The BullMQ queue that coordinators fill and workers empty. */
export const QUEUE = "sweep";
/** What nobody asks for any more is gone after this, s. */
export const KEEP_S = 7 * 24 * 3600;
export const JOB_SCHEMA = "pdbench/sweep-job@1";

/** A run of a sweep on its way to a worker. */
export interface SweepJob {
  readonly schema: typeof JOB_SCHEMA;
  /** Of pdbench: only the same version gives the same bytes. */
  readonly version: string;
  readonly study: string;
  readonly scenario: Scenario;
  /** Hash of its trace (`encodeTrace`); null = the requests are generated. */
  readonly trace: string | null;
  /** Hashes of the texts of its profile files, by their paths. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly stopBelow: number | null;
}

/** A run's result on its way back. */
export type JobResult = Omit<TaskResult, "id">;

/** Name of a job in its queue. Equal work has an equal name, so that a job that is there is not added twice. */
export function jobId(job: SweepJob): string {
  const hash = createHash("sha256").update(JSON.stringify(job)).digest("hex");
  return `${job.study}-${hash.slice(0, 32)}`;
}

/** The Redis stream of a study's results: fields `job`, `worker` and `result`. It exists while somebody wants them. */
export function resultsKey(study: string): string {
  return `${KEY_PREFIX}:results:${study}`;
}

export function packResult(result: JobResult): Buffer {
  return deflateRawSync(JSON.stringify(result));
}

export function unpackResult(bytes: Buffer): JobResult {
  return JSON.parse(inflateRawSync(bytes).toString("utf8")) as JobResult;
}
