/** One request on its way into a trace; what is left out is "none". */
export interface TraceRow {
  /** On any clock; the first arrival becomes 0. */
  readonly arrivalMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly session?: number;
  readonly priority?: number;
  readonly cancelAfterMs?: number;
  readonly thinkMs?: number;
}

/** Where the blocks of the current row are written to. */
export interface BlockWriter {
  /** Number of different ids given so far; also the next one. */
  readonly distinct: number;
  /** How many of the blocks last met must be known again; Infinity = all. */
  readonly remembered: number;
  /** Takes `count` ids that no request has had yet and returns the first. */
  allocate(count: number): number;
  /** Adds `count` consecutive ids to the current row. */
  append(first: number, count: number): void;
}

/** What a trace format writes the requests of a file into, one after the other. */
export interface TraceRows {
  /** The blocks of a row are written before `add` ends the row. */
  readonly blocks: BlockWriter;
  /** Tokens one block id stands for. */
  blockTokens: number;
  /** Resolution of the times: known (0 = exact), or null = to be found out from them. */
  tickMs: number | null;
  coversOutput: boolean;
  add(row: TraceRow): void;
  /** Counts a request that failed, by what the source says, and is left out. */
  addFailure(): void;
}
