import { HashRing } from "../hashing/hash-ring.js";
import { LowestLoad } from "../lowest-load.js";
import { TIES } from "../lowest.js";
import { integer, number } from "../parameters.js";
import { policySpec } from "../specs.js";

/**
 * The worker that owns the hash of the prompt's beginning, unless it is overloaded:
 *
 * ```
 * owner = ring(hash of the first prefix_token_count units)
 * ok(w) = total = 0 || load(w) <= prefix_hash_load_factor * (total + 1) / n          (not strict)
 * ok(owner) ? owner : least loaded of those that are ok, else owner
 * ```
 * SMG hashes with xxh3 and blake3; here the ring's own hash is used, which spreads keys alike.
 */
export const prefixHash = policySpec({
  name: "prefix_hash",
  summary: "The worker that owns the hash of the prompt's first tokens, unless it is overloaded.",
  source: "SMG `prefix_hash`",
  parameters: [
    integer("prefix_token_count", 256, { min: 1, unit: "units" }, "Units of the prompt that are hashed."),
    number(
      "prefix_hash_load_factor",
      1.25,
      { min: 1, unit: "ratio" },
      "How far above the mean the owner's load may go.",
    ),
    integer("ring_points", 150, { min: 1 }, "Points of each worker on the ring."),
    TIES,
  ],
  create: (params, { workers, fleetSize }) => {
    let ring = new HashRing(workers, params.ring_points);
    const least = new LowestLoad(fleetSize, params.ties);
    return {
      name: "prefix_hash",
      pick(candidates, { prefix }, context) {
        const { ledger, random, candidateSet } = context;
        const symbols = Math.ceil(params.prefix_token_count / prefix.unitsPerSymbol);
        let point = ring.pointOfWords(prefix.symbols, Math.min(symbols, prefix.length));
        while (!candidateSet.has(ring.ownerOf(point))) point = ring.after(point);
        const owner = ring.ownerOf(point);
        least.look(candidates, context);
        const bound = (params.prefix_hash_load_factor * (least.sum + 1)) / candidates.length;
        const ownerLoad = ledger.open(owner);
        const figures = { owner, owner_load: ownerLoad, bound };
        if (least.sum === 0 || ownerLoad <= bound)
          return { worker: owner, policy: "prefix_hash", branch: "owner", figures };
        return least.lowest <= bound
          ? { worker: least.take(random), policy: "prefix_hash", branch: "owner_full", figures }
          : { worker: owner, policy: "prefix_hash", branch: "all_full", figures };
      },
      onWorkersChanged(now) {
        ring = new HashRing(now, params.ring_points);
      },
    };
  },
});
