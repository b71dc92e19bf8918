import { closeSync, openSync, writeSync } from "node:fs";
import type { RequestRecords } from "./records.js";
import { metricsOf } from "./request-metrics.js";
import { csvField, REQUEST_COLUMNS, requestRow } from "./run-files.js";

const CHUNK_CHARACTERS = 1 << 18;

/** Writes `requests.csv` while a run goes on that keeps no requests. The caller closes it, or loses what is not written. */
export class RequestRows {
  private readonly file: number;
  private readonly workers: readonly string[];
  private readonly metrics = { ttftMs: NaN, tpotMs: NaN, e2eMs: NaN };
  private text = `${REQUEST_COLUMNS.join(",")}\n`;
  private count = 0;

  /** @param workers their ids, as `RunTotals.workers` has them. */
  constructor(path: string, workers: readonly string[]) {
    this.file = openSync(path, "w");
    this.workers = workers.map(csvField);
  }

  /** Adds the request at `place` of the records; requests come in order of rows. */
  add(records: RequestRecords, place: number, branches: readonly string[]): void {
    const metrics = metricsOf(records, place, this.metrics);
    this.text += requestRow(this.count++, records, place, metrics, { workers: this.workers, branches });
    if (this.text.length >= CHUNK_CHARACTERS) this.flush();
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    writeSync(this.file, this.text);
    this.text = "";
  }
}
