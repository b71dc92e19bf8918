import { Lowest } from "../lowest.js";
import { choice, number, optionalNumber, type Values } from "../parameters.js";
import { INDEX_CAPACITY } from "../prefix-index/index-capacity.js";
import { AllHolders } from "../prefix-index/prefix-holders.js";
import { KvEventIndex } from "../prefix-index/kv-event-index.js";
import type { PrefixIndex } from "../prefix-index/prefix-index.js";
import { SessionTable } from "../session-table.js";
import { policySpec, type PolicySetup } from "../specs.js";
import type { KvEvent, LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

const weight = <const N extends string>(name: N, initial: number, summary: string) =>
  number(name, initial, { min: 0 }, summary);

const PARAMETERS = [
  weight("queue_weight", 2, "Weight of the queue score: waiting requests between the fleet's extremes."),
  weight("kv_weight", 2, "Weight of the KV score: 1 - KV use."),
  weight(
    "prefix_weight",
    3,
    "Weight of the prefix score: share of the prompt's blocks that the worker holds.",
  ),
  weight("running_weight", 0, "Weight of the running score: running requests between the fleet's extremes."),
  weight(
    "load_aware_weight",
    0,
    "Weight of the load-aware score: 0.5 without a queue, down to 0 at 128 waiting.",
  ),
  weight("active_weight", 0, "Weight of the active score: the router's own open requests against the most."),
  weight("token_weight", 0, "Weight of the token score: 1 - 2.5 x open prompt tokens / 4,194,304."),
  weight("session_weight", 0, "Weight of the session score: 1 for the worker of the session's last request."),
  weight(
    "no_hit_lru_weight",
    0,
    "Weight of the cold-prompt score: workers in order of their last cold prompt.",
  ),
  choice(
    "picker",
    "max_score",
    ["max_score", "weighted_random", "random"],
    "Highest score with random ties; random with chances by score; or any worker.",
  ),
  choice(
    "kv_index",
    "routing",
    ["routing", "kv_events"],
    "What is known of the engines' caches: what was routed where (approximate mode), or their KV events.",
  ),
  optionalNumber(
    "max_prefix_units",
    { min: 1, unit: "units" },
    "Only this much of a prompt is looked up (llm-d: 256 blocks of 16 tokens); null = all.",
  ),
  INDEX_CAPACITY,
  number(
    "speculative_s",
    2,
    { min: 0, unit: "s" },
    "With KV events: how long a routed prompt counts as held.",
  ),
] as const;

type Params = Values<typeof PARAMETERS>;

/** How long a session keeps its score. */
const SESSION_MS = 7_200_000;
const QUEUE_THRESHOLD = 128;
const TOKEN_THRESHOLD = 4_194_304;
/** llm-d takes the output to be 1.5 times the prompt. */
const TOKENS_PER_PROMPT_TOKEN = 2.5;

/**
 * The worker with the highest weighted sum of scores, each from 0 to 1:
 *
 * ```
 * queue       max == min ? 1 : (max - waiting) / (max - min)            running: the same with running
 * kv          1 - KV use
 * prefix      units held / units looked up                              (0 for an empty prompt)
 * load_aware  waiting == 0 ? 0.5 : 0.5 * (1 - min(waiting, 128) / 128)
 * active      open == 0 ? 1 : (max - open) / max
 * token       1 - min(2.5 * open prompt tokens, 4194304) / 4194304
 * session     1 for the worker of the session's last request, else 0
 * no_hit_lru  any worker holds some of it ? 0.5 : 1 - rank / (n - 1), in order of the last cold prompt, those
 *             that never had one first, in fleet order
 * ```
 * Workers without statistics score as idle. llm-d's index counts blocks held anywhere in the prompt and drops
 * its head first; here a worker holds an unbroken run from the start, and its tail goes first.
 */
export const weightedScorers = policySpec({
  name: "weighted_scorers",
  summary: "The worker with the highest weighted sum of queue, KV, prefix and other scores.",
  source: "llm-d inference scheduler (August 2026): scorers, pickers and default weights",
  parameters: PARAMETERS,
  givesCosts: true,
  usesSessionKey: (params) => params.session_weight > 0,
  usesKvEvents: (params) => params.kv_index === "kv_events",
  usesStats: (params) =>
    params.queue_weight + params.kv_weight + params.running_weight + params.load_aware_weight > 0,
  create: (params, setup) => new WeightedScorers(params, setup),
});

class WeightedScorers implements Policy {
  readonly name = "weighted_scorers";
  private readonly params: Params;
  private readonly index: PrefixIndex;
  private readonly held: Float64Array;
  private readonly scores: Float64Array;
  private readonly lowest: Lowest;
  private readonly sessions: SessionTable;
  /** When each worker last got a cold prompt, as a count of cold prompts; 0 = never. */
  private readonly lastCold: Float64Array;
  private coldPrompts = 0;

  constructor(params: Params, { fleetSize }: PolicySetup) {
    this.params = params;
    this.index =
      params.kv_index === "routing"
        ? new AllHolders(fleetSize, params.index_capacity)
        : new KvEventIndex(fleetSize, params.speculative_s * 1000);
    this.held = new Float64Array(fleetSize);
    this.scores = new Float64Array(fleetSize);
    this.lowest = new Lowest(fleetSize, "random");
    this.sessions = new SessionTable(fleetSize, SESSION_MS);
    this.lastCold = new Float64Array(fleetSize);
  }

  pick(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): LegDecision {
    this.score(candidates, request, context);
    const worker = this.choose(candidates, context);
    return {
      worker,
      policy: this.name,
      branch: this.params.picker,
      figures: { score: this.scores[worker]!, held_units: this.held[worker]!, candidates: candidates.length },
    };
  }

  costs(
    candidates: readonly Worker[],
    request: RoutingRequest,
    context: PolicyContext,
    out: Float64Array,
  ): string {
    this.score(candidates, request, context);
    let highest = 0;
    for (const { index } of candidates) highest = Math.max(highest, this.scores[index]!);
    for (const { index } of candidates) out[index] = highest - this.scores[index]!;
    return this.params.picker;
  }

  onRouted({ worker }: LegDecision, { sessionKey }: RoutingRequest, nowMs: number): void {
    if (sessionKey !== null && this.params.session_weight > 0) this.sessions.bind(sessionKey, worker, nowMs);
    if (this.params.no_hit_lru_weight > 0 && this.held.every((units) => units === 0)) {
      this.lastCold[worker] = ++this.coldPrompts;
    }
  }

  onPrefixHeld({ worker }: LegDecision, { prefix }: RoutingRequest, nowMs: number): void {
    this.index.insert(prefix, worker, nowMs);
  }

  onWorkerRemoved(worker: number): void {
    this.index.removeWorker(worker);
    this.sessions.removeWorker(worker);
  }

  onKvEvent(event: KvEvent): void {
    this.index.onKvEvent?.(event);
  }

  heldUnits({ prefix }: RoutingRequest, worker: number): number {
    return Math.min(this.index.heldUnits(prefix, worker), this.params.max_prefix_units ?? Infinity);
  }

  private score(candidates: readonly Worker[], request: RoutingRequest, context: PolicyContext): void {
    const { params, scores, held } = this;
    const { ledger } = context;
    const lookedUp = Math.min(request.prefix.totalUnits, params.max_prefix_units ?? Infinity);
    this.index.unitsOfEach(request.prefix, context.nowMs, held);
    const home = this.sessions.workerOf(request.sessionKey, context.nowMs);
    let minWaiting = Infinity;
    let maxWaiting = 0;
    let minRunning = Infinity;
    let maxRunning = 0;
    let maxOpen = 0;
    let anyHeld = false;
    for (const { index, stats } of candidates) {
      const waiting = stats?.waiting ?? 0;
      const running = stats?.running ?? 0;
      held[index] = Math.min(held[index]!, lookedUp);
      minWaiting = Math.min(minWaiting, waiting);
      maxWaiting = Math.max(maxWaiting, waiting);
      minRunning = Math.min(minRunning, running);
      maxRunning = Math.max(maxRunning, running);
      maxOpen = Math.max(maxOpen, ledger.open(index));
      anyHeld ||= held[index] > 0;
    }
    for (const { index, stats } of candidates) {
      const waiting = stats?.waiting ?? 0;
      const open = ledger.open(index);
      const tokens = Math.min(TOKENS_PER_PROMPT_TOKEN * ledger.openTokens(index), TOKEN_THRESHOLD);
      scores[index] =
        params.queue_weight * between(waiting, minWaiting, maxWaiting) +
        params.kv_weight * (1 - (stats?.kvUsage ?? 0)) +
        params.prefix_weight * (lookedUp > 0 ? held[index]! / lookedUp : 0) +
        params.running_weight * between(stats?.running ?? 0, minRunning, maxRunning) +
        params.load_aware_weight * 0.5 * (1 - Math.min(waiting, QUEUE_THRESHOLD) / QUEUE_THRESHOLD) +
        params.active_weight * (open === 0 ? 1 : (maxOpen - open) / maxOpen) +
        params.token_weight * (1 - tokens / TOKEN_THRESHOLD) +
        params.session_weight * (index === home ? 1 : 0);
    }
    if (params.no_hit_lru_weight > 0) this.addNoHitLru(candidates, anyHeld);
  }

  private addNoHitLru(candidates: readonly Worker[], anyHeld: boolean): void {
    const most = Math.max(1, candidates.length - 1);
    candidates.forEach(({ index }, place) => {
      const last = this.lastCold[index]!;
      let rank = 0;
      candidates.forEach((other, otherPlace) => {
        const otherLast = this.lastCold[other.index]!;
        if (otherLast < last || (otherLast === last && otherPlace < place)) rank++;
      });
      this.scores[index]! += this.params.no_hit_lru_weight * (anyHeld ? 0.5 : 1 - rank / most);
    });
  }

  private choose(candidates: readonly Worker[], { random }: PolicyContext): number {
    const { picker } = this.params;
    if (picker === "random") return candidates[random.nextInt(candidates.length)]!.index;
    this.lowest.reset();
    for (const { index } of candidates) {
      const score = this.scores[index]!;
      // A-Res: the highest U^(1/score) wins, so chances are proportional to scores.
      const key = picker === "max_score" ? score : score > 0 ? random.nextFloat() ** (1 / score) : 0;
      this.lowest.offer(index, -key);
    }
    return this.lowest.take(random);
  }
}

/** 1 at the lowest value, 0 at the highest, 1 when all are equal. */
function between(value: number, min: number, max: number): number {
  return max === min ? 1 : (max - value) / (max - min);
}
