import { FbiHash } from "../hashing/fbi-hash.js";
import { KEYLESS, keyKind, RoutingKeys } from "../hashing/routing-key.js";
import { policySpec } from "../specs.js";

/**
 * The healthy worker whose hash with the key is highest: `argmax fbi_hash("<key>:<worker id>")`, the last of
 * equals. Nothing is stored, and a lost worker's keys spread evenly over the others.
 */
export const rendezvousHash = policySpec({
  name: "rendezvous_hash",
  summary: "The worker whose hash with the session key is highest.",
  source: "vllm-router 0.1.14 `rendezvous_hash` (#128)",
  parameters: [KEYLESS],
  usesSessionKey: () => true,
  create: ({ keyless }) => {
    const hash = new FbiHash();
    const keys = new RoutingKeys();
    return {
      name: "rendezvous_hash",
      pick(candidates, request, { random }) {
        const kind = keyKind(request, keyless);
        if (kind === "random") {
          const { index } = candidates[random.nextInt(candidates.length)]!;
          return { worker: index, policy: "rendezvous_hash", branch: "random_owner", figures: {} };
        }
        const key = keys.keyOf(request, kind);
        let worker = -1;
        let hi = -1;
        let lo = -1;
        for (const { id, index } of candidates) {
          hash.ofString(`${key}:${id}`);
          if (hash.hi < hi || (hash.hi === hi && hash.lo < lo)) continue;
          worker = index;
          hi = hash.hi;
          lo = hash.lo;
        }
        return { worker, policy: "rendezvous_hash", branch: `${kind}_owner`, figures: { hash_hi: hi } };
      },
    };
  },
});
