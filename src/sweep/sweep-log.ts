import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
import { isLockFile } from "./directory-lock.js";
import { differences, type SweepFingerprint } from "./fingerprint.js";

/** A run that has ended well. */
export interface LoggedRun {
  readonly point: number;
  readonly seed: number;
  readonly summary: Summary;
}

interface LogHeader {
  readonly schema: "pdbench/sweep-log@1";
  readonly fingerprint: SweepFingerprint;
}

const FILE = "points.jsonl";

/** How long a line may be in the system's cache only: long enough for many runs to share one wait for the disk. */
const SYNC_MS = 250;

/**
 * The runs of a sweep directory, one line each in `points.jsonl`, added as they end. A line is in the file when
 * `append` returns, whatever happens to the process, and on disk a moment later; `close` waits for the disk. A
 * second call goes on from there.
 */
export class SweepLog {
  /** Runs of earlier calls. */
  readonly earlier: readonly LoggedRun[];
  private readonly directory: string;
  private readonly fingerprint: SweepFingerprint;
  /** Bytes of whole lines in the file; a line cut short by a crash comes after them. */
  private readonly wholeBytes: number;
  private file: number | null = null;
  private sync: NodeJS.Timeout | null = null;
  private syncError: Error | null = null;

  /**
   * Opens the log of `directory`, which is not made before the first run has ended.
   *
   * @throws InputError when the directory holds something else, or a sweep of other settings
   */
  constructor(directory: string, fingerprint: SweepFingerprint) {
    this.directory = directory;
    this.fingerprint = fingerprint;
    const { earlier, wholeBytes } = readLog(directory, fingerprint);
    this.earlier = earlier;
    this.wholeBytes = wholeBytes;
  }

  /** @param summary JSON of the run's summary */
  append(point: number, seed: number, summary: string): void {
    if (this.syncError !== null) throw this.syncError;
    this.file ??= this.open();
    writeSync(this.file, `{"point":${point},"seed":${seed},"summary":${summary}}\n`);
    this.sync ??= setTimeout(() => this.startSync(), SYNC_MS);
  }

  close(): void {
    if (this.sync !== null) clearTimeout(this.sync);
    if (this.file === null) return;
    fsyncSync(this.file);
    closeSync(this.file);
    this.file = null;
  }

  private open(): number {
    mkdirSync(this.directory, { recursive: true });
    const file = openSync(join(this.directory, FILE), "a");
    if (fstatSync(file).size > this.wholeBytes) ftruncateSync(file, this.wholeBytes);
    if (this.wholeBytes === 0) {
      const header: LogHeader = { schema: "pdbench/sweep-log@1", fingerprint: this.fingerprint };
      writeSync(file, `${JSON.stringify(header)}\n`);
    }
    return file;
  }

  /** Waiting for the disk in the background keeps the threads supplied with tasks. */
  private startSync(): void {
    this.sync = null;
    const { file } = this;
    if (file === null) return;
    fsync(file, (error) => {
      // The file may have been closed, and synced, meanwhile.
      if (error !== null && this.file === file) this.syncError = error;
    });
  }
}

/**
 * Checks that `directory` can hold a sweep: it is absent, empty or holds one already.
 *
 * @param mark the file by which a sweep is known
 * @throws InputError when it holds something else
 */
export function checkSweepFolder(directory: string, mark = FILE): void {
  if (!existsSync(directory)) return;
  if (!statSync(directory).isDirectory())
    throw new InputError(`--out ${directory}: is a file, expected a folder`);
  const files = readdirSync(directory).filter((name) => !isLockFile(name));
  if (files.length === 0 || files.includes(mark)) return;
  throw new InputError(`--out ${directory}: the folder is not empty and holds no sweep, expected a new one`);
}

function readLog(
  directory: string,
  fingerprint: SweepFingerprint,
): { earlier: LoggedRun[]; wholeBytes: number } {
  checkSweepFolder(directory);
  const path = join(directory, FILE);
  if (!existsSync(path)) return { earlier: [], wholeBytes: 0 };
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, wholeBytes).toString("utf8").split("\n").slice(0, -1);
  const [first, ...rest] = lines;
  if (first === undefined) return { earlier: [], wholeBytes: 0 };
  checkHeader(directory, JSON.parse(first) as LogHeader, fingerprint);
  return { earlier: rest.map((line) => JSON.parse(line) as LoggedRun), wholeBytes };
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
