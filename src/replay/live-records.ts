import { quantile } from "simple-statistics";
import { GapRunsBuilder } from "../measure/gap-runs-builder.js";
import { createRequestRecords } from "../measure/record-builder.js";
import {
  PATHS,
  STATUSES,
  type RequestRecords,
  type RunResult,
  type WorkerRecord,
} from "../measure/records.js";
import type { Workload } from "../workload/workload.js";
import type { LiveResult } from "./live-request.js";

/** Completed answers, by how their tokens were counted. */
export interface TokenCounts {
  readonly answers: number;
  /** Every token by its id. */
  readonly byId: number;
  /** The stream seems to carry another number of tokens than `usage` says. */
  readonly unequal: number;
}

/**
 * Collects what became of the requests of a replay, in the shape in which a simulation reports it. What only
 * an engine knows (queueing, transfers, preemptions, time busy) stays unknown.
 */
export class LiveRecords {
  private readonly workload: Workload;
  private readonly records: RequestRecords;
  private readonly gaps = new GapRunsBuilder();
  private readonly branches = new Map<string, number>();
  /** Workers in order of first appearance. */
  private readonly workerIds = { prefill: new Map<string, number>(), decode: new Map<string, number>() };
  private readonly failures = new Map<string, number>();
  private firstSentMs = Infinity;
  private lastEndMs = 0;
  /** True when an answer has told of cached tokens. */
  private hitsKnown = false;
  private answers = 0;
  private countedById = 0;
  private miscounted = 0;
  private decisions = 0;
  private decisionUs = 0;

  constructor(workload: Workload) {
    this.workload = workload;
    this.records = createRequestRecords(workload.count);
    this.records.status.fill(STATUSES.indexOf("cancelled"));
  }

  /** @param atMs When the request was due, or sent where nothing says when it is due. */
  sent(row: number, atMs: number): void {
    this.records.sentMs[row] = atMs;
    this.records.inputTokens[row] = this.workload.inputTokens[row]!;
    this.records.session[row] = this.workload.session[row]!;
    this.firstSentMs = Math.min(this.firstSentMs, atMs);
  }

  ended(row: number, result: LiveResult, nowMs: number): void {
    const { records } = this;
    const { outcome, usage, headers, gapsMs } = result;
    records.status[row] = STATUSES.indexOf(outcome);
    records.inputTokens[row] = usage?.promptTokens ?? records.inputTokens[row]!;
    records.outputTokens[row] = usage?.completionTokens ?? result.tokens;
    records.firstTokenMs[row] = result.firstTokenMs;
    if (outcome === "completed") {
      records.lastTokenMs[row] = result.lastTokenMs;
      this.answers++;
      if (result.areCountedById) this.countedById++;
      if ((usage?.completionTokens ?? result.tokens) !== result.tokens) this.miscounted++;
    }
    if (usage?.cachedTokens != null) {
      records.cachedTokens[row] = usage.cachedTokens;
      this.hitsKnown = true;
    }
    if (gapsMs.length > 0) records.itlP99Ms[row] = quantile([...gapsMs], 0.99);
    for (const gapMs of gapsMs) this.gaps.add(gapMs, 0, 1, 1);
    this.route(row, headers);
    if (result.failure !== null) {
      this.failures.set(result.failure, (this.failures.get(result.failure) ?? 0) + 1);
    }
    this.lastEndMs = Math.max(this.lastEndMs, nowMs);
  }

  /** How the tokens of completed answers were counted. */
  get tokenCounts(): TokenCounts {
    return { answers: this.answers, byId: this.countedById, unequal: this.miscounted };
  }

  get areHitsKnown(): boolean {
    return this.hitsKnown;
  }

  /** Mean wall time of a routing decision, microseconds; null where no answer has told of one. */
  get meanDecisionUs(): number | null {
    return this.decisions === 0 ? null : this.decisionUs / this.decisions;
  }

  /** Failures by their reason, the most frequent first. */
  failuresByReason(): readonly (readonly [reason: string, count: number])[] {
    return [...this.failures].sort((a, b) => b[1] - a[1]);
  }

  /** @param notes What a reader should know, besides the notes of the workload. */
  result(notes: readonly string[]): RunResult {
    const { records } = this;
    const workers = [...this.workerRecords("prefill"), ...this.workerRecords("decode")];
    const places = new Map(workers.map(({ id, role }, index) => [`${role} ${id}`, index]));
    renumber(records.prefillWorker, this.workerIds.prefill, (id) => places.get(`prefill ${id}`)!);
    renumber(records.decodeWorker, this.workerIds.decode, (id) => places.get(`decode ${id}`)!);
    return {
      records,
      gaps: this.gaps.build(),
      workers,
      branches: [...this.branches.keys()],
      timeline: [],
      durationMs: Math.max(0, this.lastEndMs - this.firstSentMs),
      events: 0,
      steps: 0,
      notes: [...this.workload.notes, ...notes],
    };
  }

  /** How a pdbench proxy says it routed the request; other servers do not say. */
  private route(row: number, headers: LiveResult["headers"]): void {
    const path = headers["x-pdbench-path"];
    const index = PATHS.findIndex((name) => name === path);
    if (index < 0) return;
    const { records } = this;
    records.path[row] = index;
    records.branch[row] = numberOf(this.branches, String(headers["x-pdbench-branch"]));
    const prefill = headers["x-pdbench-prefill-worker"];
    const decode = headers["x-pdbench-decode-worker"];
    if (typeof prefill === "string") records.prefillWorker[row] = numberOf(this.workerIds.prefill, prefill);
    const decisionUs = Number(headers["x-pdbench-decision-us"]);
    if (Number.isFinite(decisionUs)) {
      this.decisions++;
      this.decisionUs += decisionUs;
    }
    if (typeof decode === "string") records.decodeWorker[row] = numberOf(this.workerIds.decode, decode);
  }

  /** The workers of a leg, sorted by id, so that a fleet has the same order in every run. */
  private workerRecords(role: WorkerRecord["role"]): WorkerRecord[] {
    const { records } = this;
    const column = role === "prefill" ? records.prefillWorker : records.decodeWorker;
    const ids = [...this.workerIds[role]].sort(([a], [b]) => BY_NUMBER.compare(a, b));
    return ids.map(([id, worker]) => {
      let requests = 0;
      let promptTokens = 0;
      let hitTokens = 0;
      for (let row = 0; row < records.count; row++) {
        if (column[row] !== worker) continue;
        requests++;
        // A prompt is computed by the prefill worker where there is one.
        if (role === "decode" && records.prefillWorker[row]! >= 0) continue;
        promptTokens += records.inputTokens[row]!;
        hitTokens += records.cachedTokens[row]!;
      }
      const unknown = { busyMs: 0, maxRunning: 0, maxWaiting: 0, kvPeak: 0, preemptions: 0 };
      return { id, role, requests, promptTokens, hitTokens, ...unknown };
    });
  }
}

const BY_NUMBER = new Intl.Collator("en", { numeric: true });

/** Replaces numbers of first appearance by the places of their workers. */
function renumber(
  column: Int16Array,
  ids: ReadonlyMap<string, number>,
  placeOf: (id: string) => number,
): void {
  const places = [...ids.keys()].map(placeOf);
  column.forEach((number, row) => {
    if (number >= 0) column[row] = places[number]!;
  });
}

function numberOf(numbers: Map<string, number>, name: string): number {
  let number = numbers.get(name);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(name, number);
  }
  return number;
}
