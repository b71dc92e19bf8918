import type { LimitSettings } from "../resilience.js";

/** Why a request is not let in: `full` at once, `displaced` by a more urgent one, `timeout` after its wait. */
export type AdmissionRefusal = "full" | "displaced" | "timeout";

/** A request at the door. One of the two is called, once, unless it leaves before. */
export interface Applicant {
  /** As vLLM has it: lower goes first. */
  readonly priority: number;
  admit(): void;
  refuse(reason: AdmissionRefusal): void;
}

interface Entry {
  readonly applicant: Applicant;
  readonly sinceMs: number;
  /** Null: still waiting. */
  admittedMs: number | null;
  hasLeft: boolean;
}

/** Weight of the latest request in the mean time that requests stay. */
const NEWEST_SHARE = 0.05;
const RETRY_AFTER_MAX_S = 60;

/**
 * Lets so many requests in at a time and keeps a bounded queue of others, urgent ones first and each class in
 * order of arrival. When the queue is full, a request takes the place of the last one that is less urgent, or is
 * refused. A place is held until it is given back, streams included. Time comes in as an argument.
 *
 * vllm-router 0.1.14 gives a place back when the response head is there, and refills places by time.
 */
export class AdmissionQueue {
  private readonly settings: () => LimitSettings;
  private readonly queue: Entry[] = [];
  private admitted = 0;
  private tokens = Infinity;
  private tokensMs = 0;
  private meanStayMs: number | null = null;

  /** @param settings Asked each time, since they may change while the proxy runs. */
  constructor(settings: () => LimitSettings) {
    this.settings = settings;
  }

  /** Requests that hold a place. */
  get open(): number {
    return this.admitted;
  }

  get waiting(): number {
    return this.queue.length;
  }

  /** @returns gives the place back, or leaves the queue; only the first call does anything */
  enter(applicant: Applicant, nowMs: number): (nowMs: number) => void {
    const entry: Entry = { applicant, sinceMs: nowMs, admittedMs: null, hasLeft: false };
    this.insert(entry);
    this.pump(nowMs);
    const { queueSize } = this.settings();
    if (this.queue.length > queueSize) {
      // The last of the least urgent.
      const last = this.queue.at(-1)!;
      this.refuse(last, last === entry ? "full" : "displaced");
    }
    return (leftMs) => {
      if (entry.hasLeft) return;
      entry.hasLeft = true;
      if (entry.admittedMs !== null) this.giveBack(leftMs - entry.admittedMs, leftMs);
      else this.remove(entry);
    };
  }

  /** Lets time do its part: waits that are over, places that the rate allows again. */
  tick(nowMs: number): void {
    const { queueTimeoutMs } = this.settings();
    for (const entry of [...this.queue]) {
      if (nowMs - entry.sinceMs >= queueTimeoutMs) this.refuse(entry, "timeout");
    }
    this.pump(nowMs);
  }

  /** Whole seconds after which a refused client may find a place: what is before it, at the pace of late. */
  retryAfterS(): number {
    const { concurrentMax } = this.settings();
    const seconds = ((this.queue.length + 1) * (this.meanStayMs ?? 0)) / concurrentMax / 1000;
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(seconds)));
  }

  private insert(entry: Entry): void {
    let place = this.queue.length;
    while (place > 0 && this.queue[place - 1]!.applicant.priority > entry.applicant.priority) place--;
    this.queue.splice(place, 0, entry);
  }

  private pump(nowMs: number): void {
    this.refill(nowMs);
    const { concurrentMax, ratePerS } = this.settings();
    while (this.queue.length > 0 && this.admitted < concurrentMax && this.tokens >= 1) {
      this.admitted++;
      if (ratePerS !== null) this.tokens--;
      const entry = this.queue.shift()!;
      entry.admittedMs = nowMs;
      entry.applicant.admit();
    }
  }

  private refuse(entry: Entry, reason: AdmissionRefusal): void {
    this.remove(entry);
    entry.hasLeft = true;
    entry.applicant.refuse(reason);
  }

  private remove(entry: Entry): void {
    const place = this.queue.indexOf(entry);
    if (place >= 0) this.queue.splice(place, 1);
  }

  private giveBack(stayMs: number, nowMs: number): void {
    this.admitted--;
    const before = this.meanStayMs ?? stayMs;
    this.meanStayMs = before + NEWEST_SHARE * (stayMs - before);
    this.pump(nowMs);
  }

  private refill(nowMs: number): void {
    const { ratePerS } = this.settings();
    if (ratePerS === null) this.tokens = Infinity;
    else {
      const gained = ((nowMs - this.tokensMs) / 1000) * ratePerS;
      this.tokens = Math.min(Math.max(1, ratePerS), this.tokens + gained);
    }
    this.tokensMs = nowMs;
  }
}
