import type { Engine } from "../engine/types.js";
import type { TimelineRow } from "../measure/records.js";

/** Samples per worker at which a timeline that chooses its own interval is thinned to half. */
const MAX_SAMPLES = 512;
const FIRST_INTERVAL_MS = 100;

/** Samples the state of every engine at equal intervals. */
export class Timeline {
  private readonly engines: readonly Engine[];
  private readonly adaptive: boolean;
  private intervalMs: number;
  private samples: TimelineRow[][] = [];

  /** Time of the next sample. */
  nextMs = 0;

  /** `intervalMs` 0: start fine and double the interval whenever there are too many samples. */
  constructor(engines: readonly Engine[], intervalMs: number) {
    this.engines = engines;
    this.adaptive = intervalMs === 0;
    this.intervalMs = this.adaptive ? FIRST_INTERVAL_MS : intervalMs;
  }

  /** Takes the samples due before `nowMs`. Nothing has changed since the last event, so late is exact. */
  sampleUntil(nowMs: number): void {
    while (this.nextMs <= nowMs) {
      const atMs = this.nextMs;
      this.samples.push(this.engines.map((engine, worker) => ({ atMs, worker, ...engine.gauges(atMs) })));
      if (this.adaptive && this.samples.length === MAX_SAMPLES) {
        this.samples = this.samples.filter((_, index) => index % 2 === 0);
        this.intervalMs *= 2;
      }
      this.nextMs = this.samples.length * this.intervalMs;
    }
  }

  rows(): TimelineRow[] {
    return this.samples.flat();
  }
}
