import { HashRing } from "../hashing/hash-ring.js";
import { KEYLESS, keyKind, ringPoint } from "../hashing/routing-key.js";
import { choice, integer } from "../parameters.js";
import { policySpec } from "../specs.js";

export const VIRTUAL_NODES = integer("virtual_nodes", 160, { min: 1 }, "Points of each worker on the ring.");

/**
 * The worker that owns the key's place on a hash ring of all workers of the leg (furc/murmur hash, 160 points
 * a worker). A request without a session key is hashed by its prompt.
 *
 * While the owner is down, its keys go to the next point's worker, so they spread over the others;
 * vllm-router's vLLM PD mode sends them all to the first healthy worker (`when_owner_is_down: first_healthy`).
 * In regular mode the product hashes every chat request without a key to one constant, so that one worker gets
 * them all (`keyless: constant`).
 */
export const consistentHash = policySpec({
  name: "consistent_hash",
  summary: "The worker that owns the session key's place on a hash ring.",
  source: "vllm-router 0.1.14 `consistent_hash`",
  parameters: [
    VIRTUAL_NODES,
    KEYLESS,
    choice(
      "when_owner_is_down",
      "next",
      ["next", "first_healthy"],
      "Who takes a key whose owner is down: the next worker on the ring, or the first healthy one.",
    ),
  ],
  usesSessionKey: () => true,
  create: (params, { workers }) => {
    let ring = new HashRing(workers, params.virtual_nodes);
    return {
      name: "consistent_hash",
      pick(candidates, request, context) {
        const { candidateSet } = context;
        const kind = keyKind(request, params.keyless);
        let point = ringPoint(ring, request, kind, context.random);
        const owner = ring.ownerOf(point);
        const figures = { point, owner };
        if (candidateSet.has(owner)) {
          return { worker: owner, policy: "consistent_hash", branch: `${kind}_owner`, figures };
        }
        if (params.when_owner_is_down === "first_healthy") {
          const worker = candidates[0]!.index;
          return { worker, policy: "consistent_hash", branch: "first_healthy", figures };
        }
        while (!candidateSet.has(ring.ownerOf(point))) point = ring.after(point);
        return { worker: ring.ownerOf(point), policy: "consistent_hash", branch: "next_on_ring", figures };
      },
      onWorkersChanged(now) {
        ring = new HashRing(now, params.virtual_nodes);
      },
    };
  },
});
