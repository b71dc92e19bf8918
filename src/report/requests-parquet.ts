import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer";
import type { RequestRow } from "./run-files-reader.js";

/** A run by name and its requests. */
export interface NamedRequests {
  readonly run: string;
  readonly requests: readonly RequestRow[];
}

type Read = (row: RequestRow) => number;
type ReadText = (row: RequestRow) => string;

const TEXTS: Readonly<Record<string, ReadText>> = {
  path: ({ path }) => path,
  prefill_worker: ({ prefillWorker }) => prefillWorker,
  decode_worker: ({ decodeWorker }) => decodeWorker,
  branch: ({ branch }) => branch,
  status: ({ status }) => status,
};

const COUNTS: Readonly<Record<string, Read>> = {
  id: ({ id }) => id,
  input_tokens: ({ inputTokens }) => inputTokens,
  output_tokens: ({ outputTokens }) => outputTokens,
  session: ({ session }) => session,
  cached_tokens: ({ cachedTokens }) => cachedTokens,
  preemptions: ({ preemptions }) => preemptions,
};

const TIMES: Readonly<Record<string, Read>> = {
  arrival_s: ({ arrivalS }) => arrivalS,
  queue_ms: ({ queueMs }) => queueMs,
  prefill_ms: ({ prefillMs }) => prefillMs,
  kv_transfer_ms: ({ kvTransferMs }) => kvTransferMs,
  ttft_ms: ({ ttftMs }) => ttftMs,
  tpot_ms: ({ tpotMs }) => tpotMs,
  e2e_ms: ({ e2eMs }) => e2eMs,
  itl_p99_ms: ({ itlP99Ms }) => itlP99Ms,
};

/**
 * A Parquet file of the requests of runs, a row each, with the columns of `requests.csv` after the name of the `run`. Counts
 * are INT64, times DOUBLE, texts strings; what does not exist is null.
 */
export function requestsParquet(runs: readonly NamedRequests[]): Uint8Array {
  const rows = runs.flatMap(({ run, requests }) => requests.map((row) => ({ run, row })));
  const text = (name: string, read: (one: (typeof rows)[number]) => string): ColumnSource => ({
    name,
    type: "STRING",
    nullable: true,
    data: rows.map((one) => read(one) || null),
  });
  const number = (name: string, type: "INT64" | "DOUBLE", read: Read): ColumnSource => ({
    name,
    type,
    nullable: true,
    data: rows.map(({ row }) => {
      const value = read(row);
      if (Number.isNaN(value)) return null;
      return type === "INT64" ? BigInt(value) : value;
    }),
  });
  const columns = [
    text("run", ({ run }) => run),
    ...Object.entries(COUNTS).map(([name, read]) => number(name, "INT64", read)),
    ...Object.entries(TIMES).map(([name, read]) => number(name, "DOUBLE", read)),
    ...Object.entries(TEXTS).map(([name, read]) => text(name, ({ row }) => read(row))),
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData: columns }));
}
