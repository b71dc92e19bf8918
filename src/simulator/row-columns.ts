import { createRequestRecords } from "../measure/record-builder.js";
import type { RequestRecords } from "../measure/records.js";

/** What a simulation keeps of each request, as columns; row `i` is at place `i & mask`. */
export class RowColumns {
  readonly mask: number;
  readonly phase: Uint8Array;
  /** When the current leg reached its engine's queue. */
  readonly submittedMs: Float64Array;
  readonly scheduledMs: Float64Array;
  /** When the engine had its first token. */
  readonly generatedMs: Float64Array;
  readonly readStartMs: Float64Array;
  /** 1 while a prefill engine holds the request's blocks for a reader that has not started. */
  readonly held: Uint8Array;
  /** What will still happen to the request: entries of the agenda, legs in engines, transfers. */
  readonly pending: Uint8Array;
  readonly records: RequestRecords;

  /** @param mask -1 for columns of all `count` rows */
  constructor(count: number, mask: number) {
    const places = mask < 0 ? count : mask + 1;
    this.mask = mask;
    this.phase = new Uint8Array(places);
    this.submittedMs = new Float64Array(places);
    this.scheduledMs = new Float64Array(places);
    this.generatedMs = new Float64Array(places).fill(Infinity);
    this.readStartMs = new Float64Array(places);
    this.held = new Uint8Array(places);
    this.pending = new Uint8Array(places);
    this.records = createRequestRecords(places);
  }

  /** The same rows, `oldest` and those after it, in wider columns. */
  widened(mask: number, oldest: number): RowColumns {
    const wider = new RowColumns(0, mask);
    for (let row = oldest; row <= oldest + this.mask; row++) {
      this.copyPlace(row & this.mask, wider, row & mask);
    }
    return wider;
  }

  /** Makes a place as if nothing had happened there. */
  clear(place: number): void {
    BLANK.copyPlace(0, this, place);
  }

  private copyPlace(from: number, to: RowColumns, place: number): void {
    to.phase[place] = this.phase[from]!;
    to.submittedMs[place] = this.submittedMs[from]!;
    to.scheduledMs[place] = this.scheduledMs[from]!;
    to.generatedMs[place] = this.generatedMs[from]!;
    to.readStartMs[place] = this.readStartMs[from]!;
    to.held[place] = this.held[from]!;
    to.pending[place] = this.pending[from]!;
    const { records } = this;
    const out = to.records;
    out.sentMs[place] = records.sentMs[from]!;
    out.inputTokens[place] = records.inputTokens[from]!;
    out.outputTokens[place] = records.outputTokens[from]!;
    out.session[place] = records.session[from]!;
    out.path[place] = records.path[from]!;
    out.prefillWorker[place] = records.prefillWorker[from]!;
    out.decodeWorker[place] = records.decodeWorker[from]!;
    out.branch[place] = records.branch[from]!;
    out.queueMs[place] = records.queueMs[from]!;
    out.prefillMs[place] = records.prefillMs[from]!;
    out.kvTransferMs[place] = records.kvTransferMs[from]!;
    out.firstTokenMs[place] = records.firstTokenMs[from]!;
    out.lastTokenMs[place] = records.lastTokenMs[from]!;
    out.itlP99Ms[place] = records.itlP99Ms[from]!;
    out.cachedTokens[place] = records.cachedTokens[from]!;
    out.decodeCachedTokens[place] = records.decodeCachedTokens[from]!;
    out.preemptions[place] = records.preemptions[from]!;
    out.status[place] = records.status[from]!;
  }
}

const BLANK = new RowColumns(1, -1);
