import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import { readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors.js";
import type { Summary } from "../measure/summary.js";
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

/**
 * The runs of a sweep directory, one line each in `points.jsonl`, added as they end and on disk before `append`
 * returns: whatever interrupts the sweep, a second call goes on from there.
 */
export class SweepLog {
  /** Runs of earlier calls. */
  readonly earlier: readonly LoggedRun[];
  private readonly directory: string;
  private readonly fingerprint: SweepFingerprint;
  /** Bytes of whole lines in the file; a line cut short by a crash comes after them. */
  private readonly wholeBytes: number;
  private file: number | null = null;

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

  append(run: LoggedRun): void {
    this.file ??= this.open();
    this.write(run);
  }

  close(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }

  private open(): number {
    mkdirSync(this.directory, { recursive: true });
    const file = openSync(join(this.directory, FILE), "a");
    if (fstatSync(file).size > this.wholeBytes) ftruncateSync(file, this.wholeBytes);
    this.file = file;
    if (this.wholeBytes === 0) {
      this.write({ schema: "pdbench/sweep-log@1", fingerprint: this.fingerprint });
    }
    return file;
  }

  private write(line: LogHeader | LoggedRun): void {
    writeSync(this.file!, `${JSON.stringify(line)}\n`);
    fsyncSync(this.file!);
  }
}

function readLog(
  directory: string,
  fingerprint: SweepFingerprint,
): { earlier: LoggedRun[]; wholeBytes: number } {
  const nothing = { earlier: [], wholeBytes: 0 };
  if (!existsSync(directory)) return nothing;
  if (!statSync(directory).isDirectory())
    throw new InputError(`--out ${directory}: is a file, expected a folder`);
  const path = join(directory, FILE);
  if (!existsSync(path)) {
    if (readdirSync(directory).length === 0) return nothing;
    throw new InputError(
      `--out ${directory}: the folder is not empty and holds no sweep, expected a new one`,
    );
  }
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, wholeBytes).toString("utf8").split("\n").slice(0, -1);
  const [first, ...rest] = lines;
  if (first === undefined) return nothing;
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
