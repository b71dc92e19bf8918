import type { FinishReason } from "../engine/types.js";
import type { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import type { LegEvents } from "./leg-listener.js";
import { END, FIRST_TOKEN, HAND_OVER, IN_DECODE, IN_PREFILL, LEAVING, TO_DECODE } from "./phases.js";
import type { RequestWay } from "./request-way.js";

/** What engines tell of requests: notes it in the records and lets the request go on its way. */
export class EngineEvents implements LegEvents {
  private readonly way: RequestWay;
  private readonly gaps: Pick<GapRunsBuilder, "add">;

  constructor(way: RequestWay, gaps: Pick<GapRunsBuilder, "add">) {
    this.way = way;
    this.gaps = gaps;
  }

  scheduled(worker: number, row: number, atMs: number, cachedTokens: number): void {
    const { records, submittedMs, scheduledMs, mask } = this.way.window.rows;
    const i = row & mask;
    scheduledMs[i] = atMs;
    if (this.way.fleet.isPrefill(worker)) {
      records.queueMs[i] = atMs - submittedMs[i]!;
      records.cachedTokens[i] = cachedTokens;
    } else if (records.path[i] === 1) {
      // Time on the wire is not time in the queue.
      records.queueMs[i]! += atMs - submittedMs[i]! - records.kvTransferMs[i]!;
    } else {
      records.queueMs[i] = atMs - submittedMs[i]!;
      records.cachedTokens[i] = cachedTokens;
    }
  }

  kvReadStart(worker: number, row: number, atMs: number, tokens: number): void {
    const { records, readStartMs, held, pending, mask } = this.way.window.rows;
    const i = row & mask;
    readStartMs[i] = atMs;
    held[i] = 0;
    pending[i]!++;
    records.decodeCachedTokens[i] = records.inputTokens[i]! - tokens;
    this.way.fleet.startTransfer(row, records.prefillWorker[i]!, worker, tokens, atMs);
  }

  firstToken(worker: number, row: number, atMs: number): void {
    const { way } = this;
    const { phase, generatedMs, mask } = way.window.rows;
    const i = row & mask;
    if (way.fleet.isPrefill(worker) || phase[i] !== IN_DECODE) return;
    way.requestGaps?.firstToken(row, atMs);
    generatedMs[i] = atMs;
    way.at(atMs + way.fleet.responseMs(worker), FIRST_TOKEN, row);
  }

  preempted(_worker: number, row: number): void {
    const { records, mask } = this.way.window.rows;
    records.preemptions[row & mask]!++;
  }

  finished(worker: number, row: number, atMs: number, reason: FinishReason, outputTokens: number): void {
    const { way } = this;
    const { records, phase, pending, mask } = way.window.rows;
    const i = row & mask;
    const isPrefill = way.fleet.isPrefill(worker);
    pending[i]!--;
    if (!isPrefill) records.outputTokens[i] = outputTokens;
    if (reason === "aborted") way.window.retireFrom(row);
    else if (isPrefill) this.prefillFinished(worker, row, atMs);
    else if (phase[i] === IN_DECODE) {
      phase[i] = LEAVING;
      way.requestGaps?.finish(row, atMs);
      way.at(atMs + way.fleet.responseMs(worker), END, row);
    }
  }

  tokenGaps(
    worker: number,
    firstMs: number,
    deltaMs: number,
    steps: number,
    sequences: number,
    endMs: number,
    lateRow: number,
  ): void {
    // What a prefill engine generates beyond its one token never reaches a client.
    if (this.way.fleet.isPrefill(worker)) return;
    this.gaps.add(firstMs, deltaMs, steps, sequences);
    this.way.requestGaps?.add(worker, firstMs, deltaMs, steps, endMs, lateRow);
  }

  private prefillFinished(worker: number, row: number, atMs: number): void {
    const { way } = this;
    const { records, phase, held, scheduledMs, mask } = way.window.rows;
    const i = row & mask;
    held[i] = 1;
    if (phase[i] === IN_PREFILL) {
      records.prefillMs[i] = atMs - scheduledMs[i]!;
      phase[i] = TO_DECODE;
      way.at(atMs + way.fleet.responseMs(worker), HAND_OVER, row);
    } else {
      // Cancelled during its last step: no reader will ever come.
      way.expire(row);
    }
  }
}
