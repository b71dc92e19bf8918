import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { InputError } from "../errors.js";
import type { Executor } from "../sweep/executor.js";
import { localExecutor } from "../sweep/local-executor.js";
import { parseRedisUrl } from "../sweep/queue/redis-connection.js";
import { wholeNumberFlag } from "./number-flags.js";

export interface ExecutorOptions {
  readonly workers: number;
  readonly executor: "local" | "bullmq";
  readonly redis?: string;
}

/** Adds the flags that say where runs take place. */
export function addExecutorFlags(command: Command): Command {
  return command
    .option(
      "--workers <N>",
      "threads of this process",
      wholeNumberFlag("--workers", 1),
      availableParallelism(),
    )
    .addOption(
      new Option("--executor <NAME>", "where runs take place: here, or wherever `pdbench worker` runs")
        .choices(["local", "bullmq"])
        .default("local"),
    )
    .addOption(redisOption("with --executor bullmq: "));
}

/** `--redis URL`, which an environment variable can give so that no password is seen in a process list. */
export function redisOption(when = ""): Option {
  return new Option(
    "--redis <URL>",
    `${when}Redis or Valkey, redis://[USER:PASSWORD@]HOST[:PORT][/DB]; rediss:// for TLS`,
  ).env("PDBENCH_REDIS_URL");
}

/** @throws InputError for flags that do not go together, or a Redis URL that is none */
export async function executorOf(options: ExecutorOptions, command: Command): Promise<Executor> {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  if (options.executor === "local") {
    if (isGiven("redis")) throw new InputError("--redis: applies to --executor bullmq, which is not given");
    return localExecutor(options.workers);
  }
  if (isGiven("workers")) {
    throw new InputError(
      "--workers: applies to --executor local; with bullmq, start `pdbench worker` processes",
    );
  }
  if (options.redis === undefined) {
    throw new InputError("--executor bullmq: expected --redis URL (or PDBENCH_REDIS_URL) as well");
  }
  const url = parseRedisUrl(options.redis);
  // Loaded only where it is needed: it takes longer than a small sweep.
  const { queueExecutor } = await import("../sweep/queue/queue-executor.js");
  return queueExecutor(url, (warning) => process.stderr.write(`pdbench: warning: ${warning}\n`));
}
