import { Counter, Gauge, Registry } from "prom-client";
import type { LatencyHistogram } from "./latency-histogram.js";

export type Labels = Readonly<Record<string, string>>;
export type Samples = Iterable<readonly [Labels, number]>;

/**
 * Metrics that are read when Prometheus asks, from counts that others keep: a part of the proxy registers a
 * family once, with a function that gives its samples, and pays nothing for it in between.
 */
export class MetricFamilies {
  private readonly registry = new Registry();
  private readonly histograms: LatencyHistogram[] = [];

  /** @param samples Totals since the start; every sample has all of the labels. */
  counter(name: string, help: string, labelNames: readonly string[], samples: () => Samples): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.inc(labels, value);
      },
    });
  }

  gauge(name: string, help: string, labelNames: readonly string[], samples: () => Samples): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });
  }

  histogram(histogram: LatencyHistogram): LatencyHistogram {
    this.histograms.push(histogram);
    return histogram;
  }

  /** The exposition text. */
  async text(): Promise<string> {
    return `${await this.registry.metrics()}${this.histograms.map((histogram) => histogram.text()).join("")}`;
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}
