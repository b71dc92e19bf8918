import type { Random } from "../values/random.js";
import type { LegChooser } from "./leg-chooser.js";
import { Lowest } from "./lowest.js";
import type { LegChoosers } from "./request-book.js";
import { WorkerGroups } from "./worker-groups.js";
import { BOUND, type LegDecision, type RoutingRequest, type Worker } from "./types.js";

/** Costs are divided by the highest one, but at least by these, before the legs are added (AIBrix). */
const PREFILL_SCALE_MIN = 1;
const DECODE_SCALE_MIN = 0.01;

/** A worker for each leg. */
export interface Pair {
  readonly prefill: LegDecision;
  readonly decode: LegDecision;
}

/**
 * Chooses both legs together: in every group the cheapest prefill worker and the cheapest decode worker, and
 * of all groups the one with the lowest `prefill cost / highest + decode cost / highest`. A policy may bind
 * the choice to one worker. The prefill leg's word comes first: the decode leg is then chosen of that worker's
 * group, where its policy may bind it, too. Ties are random.
 *
 * Source: AIBrix `pd` router (rolesets); its ties are Go's map order.
 */
export class JointChoice {
  private readonly prefill: LegChooser;
  private readonly decode: LegChooser;
  private readonly random: Random;
  private readonly prefillCosts: Float64Array;
  private readonly decodeCosts: Float64Array;
  private readonly lowestPrefill: Lowest;
  private readonly lowestDecode: Lowest;
  private readonly lowestGroup: Lowest;
  private readonly prefillGroups = new WorkerGroups();
  private readonly decodeGroups = new WorkerGroups();

  constructor(legs: LegChoosers, fleetSize: number, random: Random) {
    this.prefill = legs.prefill;
    this.decode = legs.decode;
    this.random = random;
    this.prefillCosts = new Float64Array(fleetSize);
    this.decodeCosts = new Float64Array(fleetSize);
    this.lowestPrefill = new Lowest(fleetSize, "random");
    this.lowestDecode = new Lowest(fleetSize, "random");
    this.lowestGroup = new Lowest(fleetSize, "random");
  }

  /** Null when no group has a worker for both legs that their policies leave in. */
  pick(request: RoutingRequest, nowMs: number): Pair | null {
    const { prefill, decode, prefillCosts, decodeCosts } = this;
    if (prefill.healthy.length === 0 || decode.healthy.length === 0) return null;
    const prefillBranch = prefill.costs(prefill.healthy, request, nowMs, prefillCosts);
    const candidates = this.decodeCandidates(prefillBranch === BOUND);
    if (candidates.length === 0) return null;
    decodeCosts.fill(Infinity);
    const decodeBranch = decode.costs(candidates, request, nowMs, decodeCosts);
    const prefillScale = scaleOf(prefill, prefillCosts, PREFILL_SCALE_MIN);
    const decodeScale = scaleOf(decode, decodeCosts, DECODE_SCALE_MIN);
    this.lowestGroup.reset();
    const prefillGroups = this.prefillGroups.of(prefill.healthy);
    const decodeGroups = this.decodeGroups.of(decode.healthy);
    for (const [group, workers] of prefillGroups) {
      const cost =
        lowestOf(workers, prefillCosts, this.lowestPrefill) / prefillScale +
        lowestOf(decodeGroups.get(group) ?? [], decodeCosts, this.lowestDecode) / decodeScale;
      if (cost < Infinity) this.lowestGroup.offer(group, cost);
    }
    const group = this.lowestGroup.take(this.random);
    if (group < 0) return null;
    lowestOf(prefillGroups.get(group)!, prefillCosts, this.lowestPrefill);
    lowestOf(decodeGroups.get(group)!, decodeCosts, this.lowestDecode);
    const joint_cost = this.lowestGroup.value;
    const prefillLeg = {
      worker: this.lowestPrefill.take(this.random),
      policy: prefill.policy.name,
      branch: prefillBranch,
      figures: { cost: this.lowestPrefill.value, scale: prefillScale, joint_cost },
    };
    const decodeLeg = {
      worker: this.lowestDecode.take(this.random),
      policy: decode.policy.name,
      branch: decodeBranch,
      figures: { cost: this.lowestDecode.value, scale: decodeScale, joint_cost },
    };
    return {
      prefill: prefill.pinned(prefillLeg, request, prefill.healthy),
      decode: decode.pinned(decodeLeg, request, decode.healthy),
    };
  }

  /** The healthy decode workers, or those in the group of the one prefill worker that is left. */
  private decodeCandidates(isBound: boolean): readonly Worker[] {
    const { prefill, decode, prefillCosts } = this;
    if (!isBound) return decode.healthy;
    const { group } = prefill.healthy.find(({ index }) => prefillCosts[index]! < Infinity)!;
    return decode.healthy.filter((worker) => worker.group === group);
  }
}

function scaleOf({ healthy }: LegChooser, costs: Float64Array, least: number): number {
  let highest = least;
  for (const { index } of healthy) if (costs[index]! < Infinity) highest = Math.max(highest, costs[index]!);
  return highest;
}

/** Leaves the cheapest of some workers in `lowest` and returns their cost, Infinity when there is none. */
function lowestOf(workers: readonly Worker[], costs: Float64Array, lowest: Lowest): number {
  lowest.reset();
  for (const { index } of workers) if (costs[index]! < Infinity) lowest.offer(index, costs[index]!);
  return lowest.value;
}
