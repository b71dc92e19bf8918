import {
  WORKER_FIGURES,
  type CandidateView,
  type Figures,
  type Leg,
  type LegDecision,
  type RouteDecision,
} from "../routing/types.js";
import type { Scenario } from "../scenario/schema.js";
import type { SimulationHooks } from "../simulator/hooks.js";

/** The healthy workers of both legs as a decision found them. */
type Candidates = Readonly<Record<Leg, readonly CandidateView[]>>;

/** What is known of a request when its line is written. */
interface Entry {
  readonly decision: RouteDecision;
  readonly atMs: number;
  readonly candidates: Candidates;
}

/**
 * The lines of `decisions.jsonl`: for every request what was decided, by which branch, on which figures, and what
 * the router knew of every worker then. A decode worker that is chosen when the prefill has ended goes into its
 * request's line, with the time and the decode workers of that moment.
 */
export class DecisionLog {
  readonly hooks: Pick<SimulationHooks, "beforeDecision" | "onDecision" | "onLateDecode">;
  private readonly workers: readonly string[];
  /** Lines, and the entries that wait for their decode worker. */
  private readonly entries: (string | Entry)[] = [];
  /** Places of the entries that wait, by request. */
  private readonly waiting = new Map<number, number>();
  private candidates: Candidates = { prefill: [], decode: [] };

  /** @param workers ids of the fleet's workers, by index */
  constructor(workers: readonly string[]) {
    this.workers = workers;
    this.hooks = {
      beforeDecision: (request, router, atMs) => {
        const of = (leg: Leg): readonly CandidateView[] => router.candidates(leg, request, atMs);
        this.candidates = { prefill: of("prefill"), decode: of("decode") };
      },
      onDecision: (decision, atMs) => this.add({ decision, atMs, candidates: this.candidates }),
      onLateDecode: (requestId, decode, atMs) => this.complete(requestId, decode, atMs),
    };
  }

  /** A line for each request, in order of arrival. */
  *lines(): Generator<string> {
    for (const entry of this.entries) yield typeof entry === "string" ? entry : this.lineOf(entry, null);
  }

  private add(entry: Entry): void {
    const { requestId, path, decode } = entry.decision;
    const isLate = path === "disaggregated" && decode === null;
    if (isLate) this.waiting.set(requestId, this.entries.length);
    this.entries.push(isLate ? entry : this.lineOf(entry, null));
  }

  private complete(requestId: number, decode: LegDecision, atMs: number): void {
    const place = this.waiting.get(requestId)!;
    this.waiting.delete(requestId);
    const { decision, ...entry } = this.entries[place] as Entry;
    const candidates = { prefill: entry.candidates.prefill, decode: this.candidates.decode };
    this.entries[place] = this.lineOf({ ...entry, decision: { ...decision, decode }, candidates }, atMs);
  }

  /** @param decodeAtMs when the decode worker was chosen, where that was later; else null */
  private lineOf({ decision, atMs, candidates }: Entry, decodeAtMs: number | null): string {
    const { requestId, path, decider, branch, figures, prefill, decode } = decision;
    return JSON.stringify({
      at_ms: atMs,
      request: requestId,
      path,
      decider,
      branch,
      figures,
      prefill: this.legOf(prefill),
      decode: this.legOf(decode),
      ...(decodeAtMs !== null && { decode_at_ms: decodeAtMs }),
      candidates: {
        prefill: candidates.prefill.map(candidateOf),
        decode: candidates.decode.map(candidateOf),
      },
    });
  }

  private legOf(leg: LegDecision | null): object | null {
    if (leg === null) return null;
    const { worker, policy, branch, figures } = leg;
    return { worker: this.workers[worker], policy, branch, figures: this.readable(figures) };
  }

  /** Figures with ids in place of indices of workers. */
  private readable(figures: Figures): object {
    return Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [
        name,
        WORKER_FIGURES.includes(name) ? this.workers[value] : value,
      ]),
    );
  }
}

function candidateOf({ id, open, openTokens, prefillTokens, cachedTokens, stats }: CandidateView): object {
  return {
    worker: id,
    open,
    open_tokens: openTokens,
    prefill_tokens: prefillTokens,
    cached_tokens: cachedTokens,
    ...(stats !== null && {
      running: stats.running,
      waiting: stats.waiting,
      kv_usage: stats.kvUsage,
      stats_at_ms: stats.atMs,
    }),
  };
}

/** Ids of the fleet in the order of the router's indices: prefill workers first. */
export function workerIds({ fleet }: Scenario): readonly string[] {
  return (["prefill", "decode"] as const).flatMap((leg) =>
    Array.from({ length: fleet[leg].workers }, (_, index) => `${leg}-${index}`),
  );
}
