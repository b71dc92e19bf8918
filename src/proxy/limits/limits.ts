import type { ProxyClock } from "../clock.js";
import { Counts } from "../counts.js";
import type { MetricFamilies } from "../metric-families.js";
import type { LimitSettings } from "../resilience.js";
import { AdmissionQueue, type AdmissionRefusal } from "./admission-queue.js";
import { overdue, type Overdue, type Pace } from "./pace.js";

/** How often it is looked whether something has taken too long. */
const LOOK_MS = 100;

/** A request whose pace is watched. */
export interface Watched {
  readonly pace: Pace;
  onOverdue(overdue: Overdue): void;
}

/** What keeps the proxy from taking on too much: the queue at the door, and an eye on what is inside. */
export class Limits {
  readonly admission: AdmissionQueue;
  private readonly settings: () => LimitSettings;
  private readonly timers: ProxyClock;
  private readonly watched = new Set<Watched>();
  private readonly refused = new Counts();
  private readonly late = new Counts();
  private readonly stopLooking: () => void;

  /** @param settings Asked each time, since they may change while the proxy runs. */
  constructor(settings: () => LimitSettings, timers: ProxyClock) {
    this.settings = settings;
    this.timers = timers;
    this.admission = new AdmissionQueue(settings);
    this.stopLooking = timers.every(LOOK_MS, () => {
      this.look();
    });
  }

  watch(request: Watched): void {
    this.watched.add(request);
  }

  forget(request: Watched): void {
    this.watched.delete(request);
  }

  onRefused(reason: AdmissionRefusal): void {
    this.refused.add(reason);
  }

  addMetrics(families: MetricFamilies): void {
    families.gauge("pdbench_admitted_requests", "Requests that hold a place.", [], () => [
      [{}, this.admission.open],
    ]);
    families.gauge("pdbench_queued_requests", "Requests that wait for a place.", [], () => [
      [{}, this.admission.waiting],
    ]);
    families.counter("pdbench_refused_requests_total", "Requests that got no place.", ["reason"], () =>
      this.refused.samples(["reason"]),
    );
    families.counter("pdbench_overdue_total", "What has taken too long.", ["what"], () =>
      this.late.samples(["what"]),
    );
  }

  close(): void {
    this.stopLooking();
  }

  private look(): void {
    const nowMs = this.timers.nowMs();
    this.admission.tick(nowMs);
    for (const request of this.watched) {
      const found = overdue(request.pace, this.settings(), nowMs);
      if (found === null) continue;
      this.late.add(found.what);
      request.onOverdue(found);
    }
  }
}
