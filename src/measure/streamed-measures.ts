import { GapSketch } from "./gap-sketch.js";
import { QuantileSketch, SKETCH_RELATIVE_ERROR } from "./quantile-sketch.js";
import type { RequestRecords, RunTotals } from "./records.js";
import { RequestTally } from "./request-tally.js";
import { summaryOf, type SummaryContext } from "./summarize.js";
import type { Slo, Summary } from "./summary.js";

/**
 * What a summary needs of requests that are not kept: counts, sums, and distributions as sketches. All of it is what
 * `summarize` finds in the kept requests of the same run, except that percentiles have the sketch's error.
 */
export class StreamedMeasures {
  private readonly tally: RequestTally;
  private readonly ttftMs = new QuantileSketch();
  private readonly tpotMs = new QuantileSketch();
  private readonly e2eMs = new QuantileSketch();
  private readonly queueMs = new QuantileSketch();
  private readonly kvTransferMs = new QuantileSketch();
  private readonly gaps = new GapSketch();

  constructor(slo: Slo) {
    this.tally = new RequestTally(slo);
  }

  /** Takes the request at `place` of the records, in order of rows. */
  retire(records: RequestRecords, place: number): void {
    const { ttftMs, tpotMs, e2eMs } = this.tally.add(records, place);
    this.ttftMs.add(ttftMs);
    this.tpotMs.add(tpotMs);
    this.e2eMs.add(e2eMs);
    this.queueMs.add(records.queueMs[place]!);
    this.kvTransferMs.add(records.kvTransferMs[place]!);
  }

  /** As `GapRunsBuilder.add`. */
  addGaps(firstMs: number, deltaMs: number, steps: number, weight: number): void {
    this.gaps.add(firstMs, deltaMs, steps, weight);
  }

  /** The summary of the run, with a note and a field that say what is sketched. */
  summary(run: RunTotals, context: SummaryContext): Summary {
    const notes = [...run.notes, SKETCH_NOTE];
    const summary = summaryOf({ ...run, notes }, this.tally, context, {
      ttft_ms: this.ttftMs.distribution(),
      itl_ms: this.gaps.distribution(),
      tpot_ms: this.tpotMs.distribution(),
      e2e_ms: this.e2eMs.distribution(),
      queue_ms: this.queueMs.distribution(),
      kv_transfer_ms: this.kvTransferMs.distribution(),
    });
    return { ...summary, percentiles: { method: "sketch", relative_error: SKETCH_RELATIVE_ERROR } };
  }
}

const SKETCH_NOTE =
  `Requests were not kept: percentiles are read off a sketch and within ${Number((SKETCH_RELATIVE_ERROR * 100).toFixed(2))} % ` +
  "of the exact ones, the score with them; all else is exact.";
