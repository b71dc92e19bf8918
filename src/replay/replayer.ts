import { Pool } from "undici";
import { WorkError } from "../errors.js";
import { EXPLAIN_HEADER } from "../proxy/headers.js";
import { distributionOf } from "../measure/distribution.js";
import type { RunResult } from "../measure/records.js";
import type { Distribution } from "../measure/summary.js";
import { Arrivals } from "../simulator/arrivals.js";
import { WholeRequests } from "../simulator/requests.js";
import type { Workload } from "../workload/workload.js";
import { LiveRecords } from "./live-records.js";
import { LiveRequest, type LiveResult } from "./live-request.js";
import { PromptTokens, type TokenRange } from "./prompt-tokens.js";
import { Recent } from "./recent.js";
import { replayNotes } from "./replay-notes.js";
import { BodyStore, ENDPOINT_PATHS, requestBody, type BodySettings } from "./request-body.js";
import { SendClock, type ReplayClock } from "./send-clock.js";

export interface ReplayOptions {
  /** Any OpenAI-compatible server; a path goes in front of the endpoint's. */
  readonly url: string;
  readonly workload: Workload;
  readonly body: BodySettings;
  readonly tokenRange: TokenRange;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Wall ms of one ms of the workload and of the results: that of mock engines which run in scaled time. */
  readonly timeScale: number;
  /** Time of the replay, instead of the wall clock's at `timeScale`. */
  readonly clock?: ReplayClock;
  /** A request that takes longer has failed, ms of the workload. */
  readonly timeoutMs: number;
  /** Requests sent and forgotten before the run begins. */
  readonly warmups: number;
}

/** Where a replay is; percentiles are of the last few thousand values, NaN while there are none. */
export interface ReplayProgress {
  readonly total: number;
  readonly sent: number;
  readonly ended: number;
  readonly failed: number;
  readonly ttftMs: { readonly p50: number; readonly p99: number };
  readonly itlMs: { readonly p50: number; readonly p99: number };
  readonly lagP99Ms: number;
}

export interface ReplayOutcome {
  readonly run: RunResult;
  /** How much later than due each request was sent, ms of the workload. */
  readonly scheduleLagMs: Distribution;
  /** Requests per second as asked for and as sent; null in a closed loop and for less than two requests. */
  readonly requestedRate: number | null;
  readonly achievedRate: number | null;
  readonly sent: number;
  readonly failures: readonly (readonly [reason: string, count: number])[];
  readonly areHitsKnown: boolean;
  /** Mean wall time of a routing decision, microseconds; null where the server is no pdbench proxy. */
  readonly meanDecisionUs: number | null;
  readonly wasInterrupted: boolean;
}

/** Bytes of bodies kept ready, and how long before the next send (wall time) it is too late to write one. */
const BODIES_AHEAD_BYTES = 2 ** 28;
const WRITE_BODY_WALL_MS = 5;
const WARMUPS_AT_ONCE = 4;
const PROGRESS_MS = 250;

/**
 * Sends a workload to a server, each request at its own time whatever became of those before (open loop), or
 * when another one has ended (closed loop, later turns of a session).
 *
 * A request that is due counts from when it was due, not from when this process came to send it, so a slow
 * client or server cannot hide its own delay (no coordinated omission); how late it was is reported as well.
 */
export class Replayer {
  private readonly options: ReplayOptions;
  private readonly onProgress: (progress: ReplayProgress) => void;
  private readonly pool: Pool;
  private readonly path: string;
  private readonly prompts: PromptTokens;
  private readonly bodies: BodyStore;
  private readonly arrivals: Arrivals;
  private readonly records: LiveRecords;
  /** Runs from the end of the warm-up. */
  private clock!: ReplayClock;
  private nextSend!: ReturnType<ReplayClock["alarm"]>;
  private readonly open = new Map<number, LiveRequest>();
  private readonly lagMs: number[] = [];
  private readonly sentAtMs: number[] = [];
  private readonly recentTtftMs = new Recent(2000);
  private readonly recentGapMs = new Recent(5000);
  private readonly recentLagMs = new Recent(2000);
  private sent = 0;
  private ended = 0;
  private failed = 0;
  private isPreparing = false;
  private wasInterrupted = false;
  private finish: (() => void) | null = null;

  constructor(options: ReplayOptions, onProgress: (progress: ReplayProgress) => void = () => undefined) {
    const { workload, tokenRange, body } = options;
    const url = new URL(options.url);
    this.options = options;
    this.onProgress = onProgress;
    this.pool = new Pool(url.origin, { pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
    this.path = url.pathname.replace(/\/+$/, "") + ENDPOINT_PATHS[body.endpoint];
    this.prompts = new PromptTokens(workload, tokenRange);
    this.bodies = new BodyStore(this.prompts, body, workload.outputTokens);
    this.arrivals = new Arrivals(new WholeRequests(workload));
    this.records = new LiveRecords(workload);
  }

  /**
   * Replays the workload once.
   *
   * @param signal When it aborts, nothing more is sent and what is open is cancelled.
   * @throws WorkError when a warm-up request fails: the server is not there, or not what it should be.
   */
  async run(signal?: AbortSignal): Promise<ReplayOutcome> {
    await this.warmUp();
    while (this.bodies.prepareOne(BODIES_AHEAD_BYTES));
    const finished = new Promise<void>((resolve) => {
      this.finish = resolve;
    });
    const interrupt = () => this.interrupt();
    const progress = setInterval(() => this.onProgress(this.progress()), PROGRESS_MS);
    this.clock = this.options.clock ?? new SendClock(this.options.timeScale);
    this.nextSend = this.clock.alarm(() => this.sendDue());
    signal?.addEventListener("abort", interrupt);
    this.sendDue();
    if (signal?.aborted === true) this.interrupt();
    await finished;
    signal?.removeEventListener("abort", interrupt);
    clearInterval(progress);
    this.nextSend.set(Infinity);
    this.onProgress(this.progress());
    await this.pool.destroy();
    return this.outcome();
  }

  /** Milliseconds of the workload since the start. */
  private nowMs(): number {
    return this.clock.nowMs();
  }

  private sendDue(): void {
    if (this.wasInterrupted) return;
    for (let dueMs = this.arrivals.atMs(); dueMs <= this.nowMs(); dueMs = this.arrivals.atMs()) {
      this.send(this.arrivals.take(), dueMs);
    }
    this.nextSend.set(this.arrivals.atMs());
    this.prepareBodies();
    if (this.ended === this.options.workload.count) this.finish!();
  }

  private send(row: number, dueMs: number): void {
    const { workload, timeScale, timeoutMs } = this.options;
    const timers: NodeJS.Timeout[] = [];
    const request = new LiveRequest(
      () => this.nowMs(),
      (result) => {
        timers.forEach(clearTimeout);
        this.onEnded(row, dueMs, result);
      },
    );
    const giveUp = (afterMs: number, outcome: "failed" | "cancelled", failure: string | null) => {
      timers.push(setTimeout(() => request.abort(outcome, failure), afterMs * timeScale));
    };
    const cancelAfterMs = workload.cancelAfterMs[row]!;
    if (!Number.isNaN(cancelAfterMs)) giveUp(cancelAfterMs, "cancelled", null);
    giveUp(timeoutMs, "failed", "timeout");
    this.open.set(row, request);
    const body = this.bodies.take(row);
    const sentMs = this.nowMs();
    this.dispatch(body, workload.session[row]!, request);
    this.sent++;
    this.records.sent(row, dueMs);
    this.lagMs.push(sentMs - dueMs);
    this.sentAtMs.push(sentMs);
    this.recentLagMs.add(sentMs - dueMs);
  }

  private dispatch(body: Buffer, session: number, request: LiveRequest): void {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      [EXPLAIN_HEADER]: "1",
      ...this.options.headers,
    };
    if (session >= 0) headers["x-session-id"] = `s${session}`;
    this.pool.dispatch({ path: this.path, method: "POST", headers, body }, request);
  }

  private onEnded(row: number, dueMs: number, result: LiveResult): void {
    const nowMs = this.nowMs();
    this.open.delete(row);
    this.ended++;
    if (result.outcome === "failed") this.failed++;
    this.records.ended(row, result, nowMs);
    if (!Number.isNaN(result.firstTokenMs)) this.recentTtftMs.add(result.firstTokenMs - dueMs);
    for (const gapMs of result.gapsMs) this.recentGapMs.add(gapMs);
    if (this.wasInterrupted) {
      if (this.open.size === 0) this.finish!();
      return;
    }
    this.arrivals.onEnded(row, nowMs);
    // Not at once: this may be within the sending of another request.
    setImmediate(() => this.sendDue());
  }

  private interrupt(): void {
    this.wasInterrupted = true;
    this.nextSend.set(Infinity);
    for (const request of [...this.open.values()]) request.abort("cancelled", null);
    this.finish!();
  }

  /** Writes bodies of later requests in the pauses between sends. */
  private prepareBodies(): void {
    if (this.isPreparing) return;
    this.isPreparing = true;
    const step = () => {
      const wallMs = (this.arrivals.atMs() - this.nowMs()) * this.options.timeScale;
      const hasTime = wallMs > WRITE_BODY_WALL_MS;
      if (hasTime && this.bodies.prepareOne(BODIES_AHEAD_BYTES)) setImmediate(step);
      else this.isPreparing = false;
    };
    setImmediate(step);
  }

  private async warmUp(): Promise<void> {
    const { warmups, workload, body } = this.options;
    const one = async (number: number): Promise<void> => {
      const row = number % workload.count;
      const ids = this.prompts.strangeIds(number, workload.inputTokens[row]!);
      const bytes = requestBody(body, ids, Math.max(1, workload.outputTokens[row]!));
      const result = await new Promise<LiveResult>((resolve) => {
        this.dispatch(bytes, -1, new LiveRequest(() => performance.now(), resolve));
      });
      if (result.failure === null) return;
      throw new WorkError(`${this.options.url}: the warm-up request failed: ${result.failure}`);
    };
    for (let first = 0; first < warmups; first += WARMUPS_AT_ONCE) {
      const count = Math.min(WARMUPS_AT_ONCE, warmups - first);
      await Promise.all(Array.from({ length: count }, (_, i) => one(first + i)));
    }
  }

  private progress(): ReplayProgress {
    const ends = (recent: Recent) => ({ p50: recent.percentile(0.5), p99: recent.percentile(0.99) });
    return {
      total: this.options.workload.count,
      sent: this.sent,
      ended: this.ended,
      failed: this.failed,
      ttftMs: ends(this.recentTtftMs),
      itlMs: ends(this.recentGapMs),
      lagP99Ms: this.recentLagMs.percentile(0.99),
    };
  }

  private outcome(): ReplayOutcome {
    const { workload, timeScale } = this.options;
    const isOpenLoop = workload.concurrency === 0;
    const dueMs = workload.arrivalMs.filter((atMs, row) => row < this.sent && !Number.isNaN(atMs));
    const lag = distributionOf(Float64Array.from(this.lagMs));
    const requestedRate = isOpenLoop ? rateOf(dueMs) : null;
    const achievedRate = isOpenLoop ? rateOf(this.sentAtMs) : null;
    const outcome = {
      scheduleLagMs: lag,
      requestedRate,
      achievedRate,
      sent: this.sent,
      failures: this.records.failuresByReason(),
      areHitsKnown: this.records.areHitsKnown,
      meanDecisionUs: this.records.meanDecisionUs,
      wasInterrupted: this.wasInterrupted,
    };
    const { tokenCounts } = this.records;
    return {
      run: this.records.result(replayNotes({ workload, timeScale, tokenCounts, ...outcome })),
      ...outcome,
    };
  }
}

/** Events per second between the first and the last of the given instants, ms; null for less than two. */
function rateOf(atMs: Float64Array | readonly number[]): number | null {
  if (atMs.length < 2) return null;
  const spanMs = atMs.at(-1)! - atMs.at(0)!;
  return spanMs <= 0 ? null : ((atMs.length - 1) * 1000) / spanMs;
}
