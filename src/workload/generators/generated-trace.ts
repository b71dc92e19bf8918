import { RawTraceBuilder } from "../raw-trace-builder.js";
import type { TraceRow } from "../trace-rows.js";
import type { RawTrace } from "../raw-trace.js";

/** Tokens of one block of generated content: vLLM's. */
export const BLOCK_TOKENS = 16;

/** What generators write into. */
export interface TraceWriter {
  /** There are as many requests as were asked for; more are left out. */
  readonly isFull: boolean;
  newSession(): number;
  /** Ids for `count` new blocks; the first of them. */
  allocate(count: number): number;
  /** A request with the content of `text` (prompt and output), or without known content. */
  add(row: TraceRow, text: Text | null): void;
}

/** The trace that generators write into, up to a number of requests. */
export class GeneratedTrace implements TraceWriter {
  private readonly limit: number;
  private readonly rows: RawTraceBuilder;
  private sessions = 0;

  constructor(requests: number) {
    this.limit = requests;
    this.rows = new RawTraceBuilder(BLOCK_TOKENS, { capacity: requests });
    this.rows.tickMs = 0;
    this.rows.coversOutput = true;
  }

  get isFull(): boolean {
    return this.rows.count >= this.limit;
  }

  newSession(): number {
    return this.sessions++;
  }

  add(row: TraceRow, text: Text | null): void {
    if (this.isFull) return;
    text?.writeTo(this.rows);
    this.rows.add(row);
  }

  allocate(count: number): number {
    return this.rows.blocks.allocate(count);
  }

  take(source: string): RawTrace {
    return this.rows.take(source);
  }
}

/**
 * A growing string of tokens, known by the ids of its full blocks. Copies share the blocks they have at the
 * time of copying; what is added later belongs to each alone.
 */
export class Text {
  /** First id and number of ids of each run. */
  readonly runs: number[];
  private blocks: number;
  private length: number;

  constructor(original?: Text) {
    this.runs = original === undefined ? [] : [...original.runs];
    this.blocks = original?.blocks ?? 0;
    this.length = original?.length ?? 0;
  }

  get tokens(): number {
    return this.length;
  }

  /** Adds `tokens` that no other text has; the blocks they fill get new ids. */
  grow(tokens: number, trace: TraceWriter): this {
    this.length += tokens;
    const filled = Math.floor(this.length / BLOCK_TOKENS) - this.blocks;
    if (filled > 0) {
      this.blocks += filled;
      this.runs.push(trace.allocate(filled), filled);
    }
    return this;
  }

  writeTo(rows: RawTraceBuilder): void {
    for (let i = 0; i < this.runs.length; i += 2) rows.blocks.append(this.runs[i]!, this.runs[i + 1]!);
  }
}
