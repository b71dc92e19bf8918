import { LowestLoad } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { choice, number, optionalNumber, type Values } from "../parameters.js";
import { SessionTable } from "../session-table.js";
import { policySpec, type PolicySetup } from "../specs.js";
import type { LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

const PARAMETERS = [
  choice(
    "assign_by",
    "sessions",
    ["sessions", "in_flight"],
    "What a new session's worker has least of: sessions, or open requests.",
  ),
  number(
    "session_ttl_s",
    7200,
    { min: 0, exclusiveMin: true, unit: "s" },
    "A session is forgotten when it has not been seen for this long.",
  ),
  optionalNumber(
    "migrate_abs_threshold",
    { min: 0, unit: "requests" },
    "A session moves when its worker has at least this many open requests more than the lowest, and migrate_rel_threshold holds; null = never.",
  ),
  number(
    "migrate_rel_threshold",
    2,
    { min: 1, unit: "ratio" },
    "A session moves only when its worker has at least this times the lowest's open requests (counted as 1 or more).",
  ),
  TIES,
] as const;

type Params = Values<typeof PARAMETERS>;

/**
 * A session stays with the worker it was first given, the least loaded one then; if it migrates, it goes to
 * the worker with the fewest open requests. Requests without a session go to the least loaded worker and leave
 * nothing behind. vllm-router settles ties by a hash of session and worker, which spreads alike; a session that
 * is expired counts there until it is swept, here until it is seen.
 */
export const stickyLeastLoaded = policySpec({
  name: "sticky_least_loaded",
  summary: "A session stays where it began, on the least loaded worker of that moment.",
  source: "vllm-router #235 `sticky_least_loaded`; migration after its `sticky_table` (8 and 2.0 there)",
  parameters: PARAMETERS,
  usesSessionKey: () => true,
  create: (params, setup) => new StickyLeastLoaded(params, setup),
});

class StickyLeastLoaded implements Policy {
  readonly name = "sticky_least_loaded";
  private readonly params: Params;
  private readonly sessions: SessionTable;
  private readonly leastOpen: LowestLoad;
  private readonly fewestSessions: LowestLoad;

  constructor(params: Params, { fleetSize }: PolicySetup) {
    this.params = params;
    this.sessions = new SessionTable(fleetSize, params.session_ttl_s * 1000);
    this.leastOpen = new LowestLoad(fleetSize, params.ties);
    this.fewestSessions = new LowestLoad(fleetSize, params.ties, {
      changes: () => [this.sessions.changes],
      of: ({ index }) => this.sessions.count(index),
    });
  }

  pick(candidates: readonly Worker[], { sessionKey }: RoutingRequest, context: PolicyContext): LegDecision {
    const home = this.sessions.workerOf(sessionKey, context.nowMs);
    const { assign_by: by } = this.params;
    if (home < 0)
      return this.assign(candidates, context, sessionKey === null ? "keyless" : "new_session", by);
    if (!context.candidateSet.has(home)) return this.assign(candidates, context, "home_down", by);
    // What it leaves for is load, so load says where to.
    if (this.isTooLoaded(home, candidates, context))
      return this.assign(candidates, context, "migrated", "in_flight");
    const figures = { load: context.ledger.open(home), sessions: this.sessions.count(home) };
    return { worker: home, policy: this.name, branch: "session", figures };
  }

  onRouted({ worker }: LegDecision, { sessionKey }: RoutingRequest, nowMs: number): void {
    if (sessionKey !== null) this.sessions.bind(sessionKey, worker, nowMs);
  }

  onWorkerRemoved(worker: number): void {
    this.sessions.removeWorker(worker);
  }

  private assign(
    candidates: readonly Worker[],
    context: PolicyContext,
    branch: string,
    by: Params["assign_by"],
  ): LegDecision {
    const bySessions = by === "sessions";
    const [least, other] = bySessions
      ? [this.fewestSessions, this.leastOpen]
      : [this.leastOpen, this.fewestSessions];
    least.look(candidates, context);
    const worker = least.take(context.random);
    other.last = worker;
    const figures = { [bySessions ? "min_sessions" : "min_load"]: least.lowest };
    return { worker, policy: this.name, branch, figures };
  }

  private isTooLoaded(home: number, candidates: readonly Worker[], context: PolicyContext): boolean {
    const { migrate_abs_threshold: abs, migrate_rel_threshold: rel } = this.params;
    if (abs === null) return false;
    this.leastOpen.look(candidates, context);
    const { lowest } = this.leastOpen;
    const load = context.ledger.open(home);
    return load - lowest >= abs && load >= rel * Math.max(lowest, 1);
  }
}
