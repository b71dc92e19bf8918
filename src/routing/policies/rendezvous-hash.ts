import { FbiHash } from "../hashing/fbi-hash.js";
import { KEYLESS, keyKind, RoutingKeys, type KeyKind, type Keyless } from "../hashing/routing-key.js";
import { policySpec } from "../specs.js";
import type { LegDecision, Policy, PolicyContext, RoutingRequest, Worker } from "../types.js";

/** Keys whose worker is remembered. */
const KNOWN_KEYS = 65_536;

/**
 * The healthy worker whose hash with the key is highest: `argmax fbi_hash("<key>:<worker id>")`, the last of
 * equals. A lost worker's keys spread evenly over the others. A key that comes again while no worker has come, gone,
 * fallen ill or recovered is looked up: its hashes would be the same.
 */
export const rendezvousHash = policySpec({
  name: "rendezvous_hash",
  summary: "The worker whose hash with the session key is highest.",
  source: "vllm-router 0.1.14 `rendezvous_hash` (#128)",
  parameters: [KEYLESS],
  usesSessionKey: () => true,
  create: ({ keyless }) => new RendezvousHash(keyless),
});

/** The highest hash of a key and whose it is. */
interface Highest {
  readonly worker: number;
  readonly hashHi: number;
}

class RendezvousHash implements Policy {
  readonly name = "rendezvous_hash";
  private readonly keyless: Keyless;
  private readonly hash = new FbiHash();
  private readonly keys = new RoutingKeys();
  private readonly encoder = new TextEncoder();
  /** What follows the key, by worker. */
  private endings: (Uint8Array | undefined)[] = [];
  private readonly known = new Map<string, Highest>();
  /** The candidates that `known` is about. */
  private knownAmong: readonly Worker[] = [];

  constructor(keyless: Keyless) {
    this.keyless = keyless;
  }

  pick(
    candidates: readonly Worker[],
    request: RoutingRequest,
    { random, healthy }: PolicyContext,
  ): LegDecision {
    const kind = keyKind(request, this.keyless);
    if (kind === "random") {
      const { index } = candidates[random.nextInt(candidates.length)]!;
      return { worker: index, policy: this.name, branch: "random_owner", figures: {} };
    }
    const key = this.keys.keyOf(request, kind);
    const { worker, hashHi } =
      candidates === healthy ? this.remembered(candidates, key, kind) : this.highest(candidates, key);
    return { worker, policy: this.name, branch: `${kind}_owner`, figures: { hash_hi: hashHi } };
  }

  onWorkersChanged(): void {
    this.endings = [];
  }

  private remembered(candidates: readonly Worker[], key: string, kind: KeyKind): Highest {
    // Prompts seldom come twice.
    if (kind === "prompt") return this.highest(candidates, key);
    if (candidates !== this.knownAmong || this.known.size === KNOWN_KEYS) this.known.clear();
    this.knownAmong = candidates;
    let highest = this.known.get(key);
    if (highest === undefined) {
      highest = this.highest(candidates, key);
      this.known.set(key, highest);
    }
    return highest;
  }

  private highest(candidates: readonly Worker[], key: string): Highest {
    const { hash } = this;
    let worker = -1;
    let hi = -1;
    let lo = -1;
    hash.beginKey(key);
    for (const candidate of candidates) {
      hash.ofKeyWith(this.endingOf(candidate));
      if (hash.hi < hi || (hash.hi === hi && hash.lo < lo)) continue;
      worker = candidate.index;
      hi = hash.hi;
      lo = hash.lo;
    }
    return { worker, hashHi: hi };
  }

  private endingOf({ index, id }: Worker): Uint8Array {
    return (this.endings[index] ??= this.encoder.encode(`:${id}`));
  }
}
