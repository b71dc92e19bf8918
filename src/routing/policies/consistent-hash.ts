import { HashRing } from "../hashing/hash-ring.js";
import { choice, integer } from "../parameters.js";
import { policySpec } from "../specs.js";

/**
 * The worker that owns the key's place on a hash ring of all workers of the leg (furc/murmur hash, 160 points
 * a worker). A request without a session key is hashed by its prompt.
 *
 * While the owner is down, its keys go to the next point's worker, so they spread over the others;
 * vllm-router's vLLM PD mode sends them all to the first healthy worker (`when_owner_is_down: first_healthy`).
 * The product hashes every chat request without a key to one constant, so one worker gets them all
 * (`keyless: constant`).
 */
export const consistentHash = policySpec({
  name: "consistent_hash",
  summary: "The worker that owns the session key's place on a hash ring.",
  source: "vllm-router 0.1.14 `consistent_hash`",
  parameters: [
    integer("virtual_nodes", 160, { min: 1 }, "Points of each worker on the ring."),
    choice(
      "keyless",
      "prompt",
      ["prompt", "constant", "random"],
      "Where requests without a session key go: by a hash of the prompt, all to one worker, or anywhere.",
    ),
    choice(
      "when_owner_is_down",
      "next",
      ["next", "first_healthy"],
      "Who takes a key whose owner is down: the next worker on the ring, or the first healthy one.",
    ),
  ],
  create: (params, { workers, fleetSize }) => {
    const ring = new HashRing(workers, params.virtual_nodes);
    const isCandidate = new Uint8Array(fleetSize);
    return {
      name: "consistent_hash",
      pick(candidates, request, { random }) {
        const { sessionKey, prefix } = request;
        if (sessionKey === null && params.keyless === "random") {
          const { index } = candidates[random.nextInt(candidates.length)]!;
          return { worker: index, policy: "consistent_hash", branch: "keyless_random", figures: {} };
        }
        const byPrompt = sessionKey === null && params.keyless === "prompt";
        const point = byPrompt
          ? ring.pointOfWords(prefix.symbols, prefix.length)
          : ring.pointOfKey(sessionKey ?? "request:");
        const owner = ring.ownerOf(point);
        isCandidate.fill(0);
        for (const { index } of candidates) isCandidate[index] = 1;
        const figures = { point, owner };
        if (isCandidate[owner] === 1) {
          const branch = sessionKey !== null ? "session_owner" : byPrompt ? "prompt_owner" : "keyless_owner";
          return { worker: owner, policy: "consistent_hash", branch, figures };
        }
        if (params.when_owner_is_down === "first_healthy") {
          const worker = candidates[0]!.index;
          return { worker, policy: "consistent_hash", branch: "first_healthy", figures };
        }
        let next = ring.after(point);
        while (isCandidate[ring.ownerOf(next)] === 0) next = ring.after(next);
        return { worker: ring.ownerOf(next), policy: "consistent_hash", branch: "next_on_ring", figures };
      },
    };
  },
});
