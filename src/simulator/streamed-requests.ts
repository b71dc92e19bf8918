import { WorkError } from "../errors.js";
import type { TraceWriter } from "../workload/generators/generated-trace.js";
import { BLOCK_TOKENS } from "../workload/generators/generated-trace.js";
import type { TraceRow } from "../workload/trace-rows.js";
import type { BlockSpan, BlockTable } from "../values/block-span.js";
import { MAX_BLOCK_ID } from "../workload/block-table-builder.js";
import { LINKED_NOTE, speedupNote } from "../workload/build-workload.js";
import type { Requests } from "./requests.js";

const FIRST_CAPACITY = 4096;
/** Runs of block ids that are kept and let go together. */
const RUNS_IN_PAGE = 1 << 16;
/** The content of a request: first id and number of ids of each run. */
interface Content {
  readonly runs: readonly number[];
}

/** Runs of rows that follow each other. */
interface Page {
  readonly table: BlockTable;
  used: number;
  /** Rows that are still at work. */
  rows: number;
}

/** What makes requests one after the other: a generator, or a trace that is being read. */
export interface StreamSource {
  /** Adds the next requests, at least one. */
  emit(requests: StreamedRequests): void;
  /** Whether a later turn of a session is still to be emitted; absent = no session has later turns. */
  awaits?(session: number): boolean;
  /** There are no more requests; absent = there always are. */
  isOver?(): boolean;
  /** What a reader should know of the requests; complete when all have been emitted. */
  readonly notes?: readonly string[];
}

/** How the requests of a source are sent. */
export interface StreamOptions {
  /** Number of requests; Infinity = as many as the source has. */
  readonly requests: number;
  /** Tokens that one block id stands for, and whether they cover outputs; left out = as generators have it. */
  readonly content?: { readonly blockTokens: number; readonly coversOutput: boolean };
  /** Time of the source at which the run begins; left out = that of the first request. */
  readonly startMs?: number;
  /** Gives times of its own to the requests: the gap after each, ms; left out = they keep those of the source. */
  readonly nextGapMs?: () => number;
  /** What a reader should know of those times. */
  readonly retimed?: string;
  /** Divides the time between arrivals. */
  readonly speedup: number;
  /** Send later turns of a session when the turn before has ended and the user has thought. */
  readonly linksTurns: boolean;
  /** Looks at every row as it is made; what it throws ends the run. */
  readonly check: (row: number, promptTokens: number, outputTokens: number) => void;
}

/**
 * Requests that a source makes while a simulation goes on, and that are forgotten when the simulation has done with
 * them: memory grows with the number of requests at work, not with that of all. They are those that the same source
 * makes beforehand (`generateWorkload`, `readTrace`).
 */
export class StreamedRequests implements Requests, TraceWriter {
  /** Infinity until the source has said that it is over, where it is to give all it has. */
  count: number;
  readonly concurrency = 0;
  readonly blockTokens: number;
  readonly coversOutput: boolean;
  mask = FIRST_CAPACITY - 1;
  arrivalMs = new Float64Array(FIRST_CAPACITY);
  inputTokens = new Int32Array(FIRST_CAPACITY);
  outputTokens = new Int32Array(FIRST_CAPACITY);
  session = new Int32Array(FIRST_CAPACITY);
  priority = new Int32Array(FIRST_CAPACITY);
  cancelAfterMs = new Float64Array(FIRST_CAPACITY);
  thinkMs = new Float64Array(FIRST_CAPACITY);
  previous = new Int32Array(FIRST_CAPACITY);
  private turns = new Int32Array(FIRST_CAPACITY);
  private start = new Int32Array(FIRST_CAPACITY);
  private end = new Int32Array(FIRST_CAPACITY);
  /** Where the runs of each row are. */
  private pages: (Page | undefined)[] = new Array<Page | undefined>(FIRST_CAPACITY).fill(undefined);

  private readonly source: StreamSource;
  private readonly options: StreamOptions;
  /** Rows made so far, and the oldest that is not forgotten. */
  private made = 0;
  private oldest = 0;
  private page: Page;
  private readonly sparePages: Page[] = [];
  private sessions = 0;
  private readonly lastTurns = new Map<number, number>();
  private nextBlock = 0;
  private startMs = 0;
  /** When the next request is sent, where requests get times of their own. */
  private retimedMs = 0;
  private hasThought = false;
  private namesBlocks = false;

  constructor(source: StreamSource, options: StreamOptions) {
    const { blockTokens, coversOutput } = options.content ?? {
      blockTokens: BLOCK_TOKENS,
      coversOutput: true,
    };
    this.source = source;
    this.options = options;
    this.count = options.requests;
    this.blockTokens = blockTokens;
    this.coversOutput = coversOutput;
    this.page = this.newPage(RUNS_IN_PAGE);
  }

  /** False where no request so far has known content: hit rates are then unknown. */
  get hasBlocks(): boolean {
    return this.namesBlocks;
  }

  get notes(): readonly string[] {
    const { speedup, retimed } = this.options;
    return [
      ...(this.source.notes ?? []),
      ...(retimed === undefined ? [] : [retimed]),
      ...(speedup === 1 ? [] : [speedupNote(speedup)]),
      ...(this.hasThought && this.options.linksTurns ? [LINKED_NOTE] : []),
    ];
  }

  get isFull(): boolean {
    return this.made === this.count;
  }

  has(row: number): boolean {
    while (row >= this.made && this.made < this.count) {
      if (this.source.isOver?.() === true) this.count = this.made;
      else this.source.emit(this);
    }
    return row < this.made;
  }

  nextTurn(row: number): number {
    if (!this.options.linksTurns) return -1;
    const session = this.session[row & this.mask]!;
    while (this.turns[row & this.mask]! < 0 && this.made < this.count && this.awaits(session)) {
      this.source.emit(this);
    }
    return this.turns[row & this.mask]!;
  }

  spanOf(row: number): BlockSpan {
    const at = row & this.mask;
    return { table: this.pages[at]?.table ?? this.page.table, start: this.start[at]!, end: this.end[at]! };
  }

  /** Forgets the oldest row. */
  release(): void {
    const row = this.oldest++;
    const at = row & this.mask;
    const session = this.session[at]!;
    // The next turn of a linked session is made as soon as this one has ended, so there is none.
    if (session >= 0 && this.lastTurns.get(session) === row) this.lastTurns.delete(session);
    const page = this.pages[at];
    this.pages[at] = undefined;
    if (page !== undefined && --page.rows === 0 && page !== this.page) this.spare(page);
  }

  newSession(): number {
    return this.sessions++;
  }

  allocate(count: number): number {
    const first = this.nextBlock;
    this.nextBlock += count;
    if (this.nextBlock > MAX_BLOCK_ID) {
      throw new WorkError(`the requests have more than ${MAX_BLOCK_ID} different blocks`);
    }
    return first;
  }

  add(row: TraceRow, text: Content | null): void {
    if (this.made === this.count) return;
    if (this.made - this.oldest > this.mask) this.widen();
    const made = this.made++;
    const at = made & this.mask;
    if (made === 0) this.startMs = this.options.startMs ?? row.arrivalMs;
    this.arrivalMs[at] = this.timeOf(row);
    this.inputTokens[at] = row.inputTokens;
    const outputTokens = Math.max(1, row.outputTokens);
    this.outputTokens[at] = outputTokens;
    this.session[at] = row.session ?? -1;
    this.priority[at] = row.priority ?? 0;
    this.cancelAfterMs[at] = row.cancelAfterMs ?? NaN;
    this.thinkMs[at] = row.thinkMs ?? NaN;
    this.turns[at] = -1;
    this.previous[at] = this.link(made, row);
    this.write(at, text);
    this.options.check(made, row.inputTokens, outputTokens);
  }

  private timeOf({ arrivalMs }: TraceRow): number {
    const { nextGapMs, speedup } = this.options;
    if (nextGapMs === undefined) return (arrivalMs - this.startMs) / speedup;
    const atMs = this.retimedMs;
    this.retimedMs += nextGapMs();
    return atMs;
  }

  /** A turn of the session is still to be made. */
  private awaits(session: number): boolean {
    return session >= 0 && this.source.awaits?.(session) === true;
  }

  /** The row of the session's turn before, or -1; that one learns of this one. */
  private link(row: number, { session = -1, thinkMs = NaN }: TraceRow): number {
    if (!this.options.linksTurns || session < 0) return -1;
    if (!Number.isNaN(thinkMs)) this.hasThought = true;
    const previous = this.lastTurns.get(session) ?? -1;
    this.lastTurns.set(session, row);
    if (previous >= 0) this.turns[previous & this.mask] = row;
    return previous;
  }

  /** Writes the runs of a row, consecutive ones as one, into the page of the rows before it or a new one. */
  private write(at: number, text: Content | null): void {
    const runs = text?.runs ?? [];
    if (this.page.used + runs.length / 2 > this.page.table.runId.length) this.turnPage(runs.length / 2);
    const { page } = this;
    const { runId, runCount } = page.table;
    const start = page.used;
    for (let i = 0; i < runs.length; i += 2) {
      const last = page.used - 1;
      if (last >= start && runId[last]! + runCount[last]! === runs[i]) {
        runCount[last]! += runs[i + 1]!;
      } else {
        runId[page.used] = runs[i]!;
        runCount[page.used++] = runs[i + 1]!;
      }
    }
    if (page.used > start) this.namesBlocks = true;
    page.rows++;
    this.pages[at] = page;
    this.start[at] = start;
    this.end[at] = page.used;
  }

  private turnPage(runs: number): void {
    if (this.page.rows === 0) this.spare(this.page);
    const spare = runs > RUNS_IN_PAGE ? undefined : this.sparePages.pop();
    this.page = spare ?? this.newPage(Math.max(runs, RUNS_IN_PAGE));
  }

  private spare(page: Page): void {
    page.used = 0;
    if (page.table.runId.length === RUNS_IN_PAGE) this.sparePages.push(page);
  }

  private widen(): void {
    const { mask: old, oldest, made } = this;
    const mask = 2 * old + 1;
    const moved = <A extends Float64Array | Int32Array>(from: A): A => {
      const to = (from instanceof Int32Array ? new Int32Array(mask + 1) : new Float64Array(mask + 1)) as A;
      for (let row = oldest; row < made; row++) to[row & mask] = from[row & old]!;
      return to;
    };
    this.arrivalMs = moved(this.arrivalMs);
    this.inputTokens = moved(this.inputTokens);
    this.outputTokens = moved(this.outputTokens);
    this.session = moved(this.session);
    this.priority = moved(this.priority);
    this.cancelAfterMs = moved(this.cancelAfterMs);
    this.thinkMs = moved(this.thinkMs);
    this.previous = moved(this.previous);
    this.turns = moved(this.turns);
    this.start = moved(this.start);
    this.end = moved(this.end);
    const pages = new Array<Page | undefined>(mask + 1).fill(undefined);
    for (let row = oldest; row < made; row++) pages[row & mask] = this.pages[row & old];
    this.pages = pages;
    this.mask = mask;
  }

  private newPage(runs: number): Page {
    const { blockTokens, coversOutput } = this;
    const table = { blockTokens, runId: new Int32Array(runs), runCount: new Int32Array(runs), coversOutput };
    return { table, used: 0, rows: 0 };
  }
}
