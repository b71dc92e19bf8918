import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { InputError, InterruptedError } from "../errors.js";
import { parseRedisUrl } from "../sweep/queue/redis-connection.js";
import { redisOption } from "./executor-flags.js";
import { listenForInterruption } from "./interruption.js";
import { numberFlag, wholeNumberFlag } from "./number-flags.js";

const EXAMPLES = `
Workers take runs that \`pdbench sweep --executor bullmq\` submits, on as many machines as there are. They may come and
go: what a worker had in hands when it died is done by another. Traces and profiles reach each worker once.

Examples:
  $ pdbench worker --redis redis://queue:6379
  $ PDBENCH_REDIS_URL=rediss://pdbench:secret@queue:6380 pdbench worker --threads 16 --idle-exit 600
`;

interface WorkerFlags {
  readonly redis?: string;
  readonly threads: number;
  readonly cache: string;
  readonly idleExit?: number;
  readonly stalledAfter: number;
}

/** `pdbench worker --redis URL`: takes runs of distributed sweeps. */
export function workerCommand(): Command {
  return new Command("worker")
    .description("Takes runs of distributed sweeps from a queue on Redis or Valkey.")
    .addOption(redisOption())
    .option("--threads <N>", "runs at once", wholeNumberFlag("--threads", 1), availableParallelism())
    .option("--cache <DIR>", "where traces and profiles are kept by their hash", defaultCache())
    .option(
      "--idle-exit <SECONDS>",
      "end after so long without a run (default: wait for ever)",
      numberFlag("--idle-exit", "positive"),
    )
    .option(
      "--stalled-after <SECONDS>",
      "a worker that is silent for so long has lost its runs to others",
      numberFlag("--stalled-after", "positive"),
      30,
    )
    .addHelpText("after", EXAMPLES)
    .action(work);
}

function defaultCache(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "pdbench");
}

async function work(flags: WorkerFlags): Promise<void> {
  if (flags.redis === undefined) {
    throw new InputError("expected --redis URL (or PDBENCH_REDIS_URL): where the runs come from");
  }
  const redis = parseRedisUrl(flags.redis);
  const note = (message: string): void => void process.stderr.write(`pdbench worker: ${message}\n`);
  const { runQueueWorker } = await import("../sweep/queue/queue-worker.js");
  const interruption = listenForInterruption(["SIGINT", "SIGTERM"]);
  note(`takes runs from ${redis.shown} on ${flags.threads} threads`);
  try {
    const done = await runQueueWorker({
      redis,
      threads: flags.threads,
      cacheDirectory: flags.cache,
      stalledAfterMs: flags.stalledAfter * 1000,
      idleExitMs: flags.idleExit === undefined ? null : flags.idleExit * 1000,
      signal: interruption.signal,
      note,
    });
    if (interruption.signal.aborted)
      throw new InterruptedError(`interrupted after ${done} runs; none is lost`);
    note(`ends: no run for ${flags.idleExit!} s; ${done} done`);
  } finally {
    interruption.end();
  }
}
