import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import { AppendLog } from "./append-log.js";
import { isLockFile } from "./directory-lock.js";
import type { TaskResult } from "./executor.js";
import { differences, type SweepFingerprint } from "./fingerprint.js";

/** A line of the log: a run that has ended well, or was stopped on request. */
interface LoggedRun {
  readonly point: number;
  readonly seed: number;
  readonly summary: Summary | null;
  /** Why there is no summary. */
  readonly stopped?: string;
}

/** A run's result, whichever task it came from. */
type RunResult = Omit<TaskResult, "id">;

interface LogHeader {
  readonly schema: "pdbench/sweep-log@1";
  readonly fingerprint: SweepFingerprint;
}

/** The file by which a sweep is known before it is whole. */
export const SWEEP_LOG_FILE = "points.jsonl";

/** The runs of a sweep directory, one line each in `points.jsonl`, added as they end: a second call goes on there. */
export class SweepLog {
  private readonly log: AppendLog;
  private readonly runs: ReadonlyMap<string, LoggedRun>;

  /**
   * Opens the log of `directory`, which is not made before the first run has ended.
   *
   * @throws InputError when the directory holds something else, or a sweep of other settings
   */
  constructor(directory: string, fingerprint: SweepFingerprint) {
    checkSweepFolder(directory);
    const header: LogHeader = { schema: "pdbench/sweep-log@1", fingerprint };
    this.log = new AppendLog(join(directory, SWEEP_LOG_FILE), JSON.stringify(header), (text) =>
      checkHeader(directory, JSON.parse(text) as LogHeader, fingerprint),
    );
    const runs = this.log.earlier.map((line) => JSON.parse(line) as LoggedRun);
    this.runs = new Map(runs.map((run) => [`${run.point}/${run.seed}`, run]));
  }

  /** What an earlier call found of a run; null where it is still to do. */
  earlier(point: number, seed: number): RunResult | null {
    const run = this.runs.get(`${point}/${seed}`);
    if (run === undefined) return null;
    if (run.summary !== null) return { summary: JSON.stringify(run.summary), error: null };
    return { summary: null, error: { message: run.stopped!, kind: "stopped" } };
  }

  /** Keeps a result. One that failed is passed over: the next call tries it again. */
  append(point: number, seed: number, { summary, error }: RunResult): void {
    const start = `{"point":${point},"seed":${seed},"summary":`;
    if (summary !== null) this.log.append(`${start}${summary}}`);
    else if (error?.kind === "stopped")
      this.log.append(`${start}null,"stopped":${JSON.stringify(error.message)}}`);
  }

  close(): void {
    this.log.close();
  }
}

/** How far the sweep of a directory is. */
export interface SweepLogState {
  readonly fingerprint: SweepFingerprint;
  readonly runsDone: number;
}

/**
 * Reads how far a sweep is, without its results.
 *
 * @throws InputError when the log is not one
 */
export async function readSweepLogState(directory: string): Promise<SweepLogState> {
  const path = join(directory, SWEEP_LOG_FILE);
  let fingerprint: SweepFingerprint | null = null;
  let lines = 0;
  const problem = (): InputError => new InputError(`${path}: not the log of a sweep`);
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (lines++ === 0) fingerprint = parseHeader(line)?.fingerprint ?? null;
    if (fingerprint === null) throw problem();
  }
  if (fingerprint === null) throw problem();
  return { fingerprint, runsDone: lines - 1 };
}

function parseHeader(line: string): LogHeader | null {
  try {
    const header = JSON.parse(line) as Partial<LogHeader> | null;
    return header?.schema === "pdbench/sweep-log@1" ? (header as LogHeader) : null;
  } catch {
    return null;
  }
}

/**
 * Checks that `directory` can hold a sweep: it is absent, empty or holds one already.
 *
 * @param mark the file by which a sweep is known
 * @throws InputError when it holds something else
 */
export function checkSweepFolder(directory: string, mark = SWEEP_LOG_FILE): void {
  if (!existsSync(directory)) return;
  if (!statSync(directory).isDirectory())
    throw new InputError(`--out ${directory}: is a file, expected a folder`);
  const files = readdirSync(directory).filter((name) => !isLockFile(name));
  if (files.length === 0 || files.includes(mark)) return;
  throw new InputError(`--out ${directory}: the folder is not empty and holds no sweep, expected a new one`);
}

function checkHeader(directory: string, header: LogHeader, fingerprint: SweepFingerprint): void {
  // As JSON, like the header: what is undefined here is absent there.
  const here = JSON.parse(JSON.stringify(fingerprint)) as SweepFingerprint;
  const found = differences(header.fingerprint, here);
  if (found.length === 0) return;
  const shown = found.slice(0, 3).join("; ");
  const more = found.length > 3 ? `; and ${found.length - 3} more` : "";
  throw new InputError(`--out ${directory}: holds another sweep: ${shown}${more}; expected a new folder`);
}
