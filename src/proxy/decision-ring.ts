import { createHmac, randomBytes } from "node:crypto";
import type { RouteDecision, RoutingRequest } from "../routing/types.js";
import type { ProxyWorker, RequestFacts, RequestObserver, RequestOutcome } from "./core.js";

const KEPT = 256;
const MARK_KEY = randomBytes(16);

interface Entry {
  readonly facts: RequestFacts;
  readonly prefixLength: number;
  outcome: RequestOutcome | "open";
  /** Names of its workers by index, kept at its end: their places may be others' later. */
  names: ReadonlyMap<number, string> | null;
}

/** The last decisions, for `GET /debug/decisions`. No prompt is kept, and no session told. */
export class DecisionRing implements RequestObserver {
  private readonly workers: readonly ProxyWorker[];
  private readonly entries: Entry[] = [];
  private readonly open = new Map<number, Entry>();
  private next = 0;

  constructor(workers: readonly ProxyWorker[]) {
    this.workers = workers;
  }

  onRouted(facts: RequestFacts, request: RoutingRequest): void {
    const entry: Entry = { facts, prefixLength: request.prefix.length, outcome: "open", names: null };
    this.entries[this.next] = entry;
    this.next = (this.next + 1) % KEPT;
    this.open.set(facts.id, entry);
  }

  onEnd(facts: RequestFacts, outcome: RequestOutcome): void {
    const entry = this.open.get(facts.id)!;
    this.open.delete(facts.id);
    entry.outcome = outcome;
    const { prefill, decode } = facts.decision;
    const chosen = [prefill, decode].flatMap((leg) => (leg === null ? [] : [leg.worker]));
    entry.names = new Map(chosen.map((worker) => [worker, this.workers[worker]!.id]));
  }

  /** Newest first; keys as in `decisions.jsonl`. */
  latest(): unknown[] {
    const inOrder = [...this.entries.slice(this.next), ...this.entries.slice(0, this.next)];
    return inOrder.reverse().map(({ facts, prefixLength, outcome, names }) => ({
      request_id: facts.requestId,
      at_ms: facts.receivedMs,
      route: facts.path,
      prompt_tokens: facts.promptTokens,
      prefix_length: prefixLength,
      session: facts.sessionKey === null ? null : sessionMark(facts.sessionKey),
      outcome,
      ...decisionRecord(facts.decision, (worker) => names?.get(worker) ?? this.workers[worker]!.id),
    }));
  }
}

/** Tells requests of one session from others, for the life of the process, and not whose it is. */
function sessionMark(session: string): string {
  return createHmac("sha256", MARK_KEY).update(session).digest("hex").slice(0, 12);
}

/** A decision with worker names in place of numbers. */
export function decisionRecord(decision: RouteDecision, nameOf: (worker: number) => string): object {
  const leg = (chosen: RouteDecision["prefill"]) =>
    chosen === null ? null : { ...chosen, worker: nameOf(chosen.worker) };
  const { path, decider, branch, figures, prefill, decode } = decision;
  return { path, decider, branch, figures, prefill: leg(prefill), decode: leg(decode) };
}
