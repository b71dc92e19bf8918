import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** How long a line may be in the system's cache only: long enough for many lines to share one wait for the disk. */
const SYNC_MS = 250;

/**
 * A file of lines that only grows: a header that says what it is of, then a line for every result. A line is in
 * the file when `append` returns, whatever happens to the process, and on disk a moment later; `close` waits for
 * the disk.
 */
export class AppendLog {
  /** Lines of earlier calls, without the header. */
  readonly earlier: readonly string[];
  private readonly path: string;
  private readonly header: string;
  /** Bytes of whole lines in the file; a line cut short by a crash comes after them. */
  private readonly wholeBytes: number;
  private file: number | null = null;
  private sync: NodeJS.Timeout | null = null;
  private syncError: Error | null = null;

  /**
   * Reads what is there; the file is not made before the first `append`.
   *
   * @param header of a new file
   * @param checkHeader throws where the header that is there is another's
   */
  constructor(path: string, header: string, checkHeader: (header: string) => void) {
    this.path = path;
    this.header = header;
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    this.wholeBytes = bytes.lastIndexOf(0x0a) + 1;
    const lines = bytes.subarray(0, this.wholeBytes).toString("utf8").split("\n").slice(0, -1);
    if (lines.length > 0) checkHeader(lines[0]!);
    this.earlier = lines.slice(1);
  }

  append(line: string): void {
    if (this.syncError !== null) throw this.syncError;
    this.file ??= this.open();
    writeSync(this.file, `${line}\n`);
    this.sync ??= setTimeout(() => this.startSync(), SYNC_MS);
  }

  close(): void {
    if (this.sync !== null) clearTimeout(this.sync);
    this.sync = null;
    if (this.file === null) return;
    fsyncSync(this.file);
    closeSync(this.file);
    this.file = null;
  }

  private open(): number {
    mkdirSync(dirname(this.path), { recursive: true });
    const file = openSync(this.path, "a");
    if (fstatSync(file).size > this.wholeBytes) ftruncateSync(file, this.wholeBytes);
    if (this.wholeBytes === 0) writeSync(file, `${this.header}\n`);
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
