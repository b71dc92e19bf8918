import { randomStream, type Random } from "../src/values/random.js";
import type { Knobs } from "./knobs.js";

/** What goes wrong with one generation request. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "error"; readonly status: number }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" }
  | { readonly kind: "midstream_reset"; readonly tokens: number };

const NONE: Fault = { kind: "none" };

/**
 * Draws faults by the rates of the knobs. Every request takes one number of each stream whatever the rates are,
 * so that changing one rate does not change which requests the others hit.
 */
export class Faults {
  private readonly error: Random;
  private readonly hang: Random;
  private readonly reset: Random;
  private readonly midstream: Random;
  private readonly kv: Random;

  constructor(seed: number, engine: string) {
    this.error = randomStream(seed, `${engine}: errors`);
    this.hang = randomStream(seed, `${engine}: hangs`);
    this.reset = randomStream(seed, `${engine}: resets`);
    this.midstream = randomStream(seed, `${engine}: resets in mid-stream`);
    this.kv = randomStream(seed, `${engine}: KV failures`);
  }

  /** The fate of the next generation request. */
  next(knobs: Knobs): Fault {
    const error = this.error.nextFloat() < knobs.error_rate;
    const hang = this.hang.nextFloat() < knobs.hang_rate;
    const reset = this.reset.nextFloat() < knobs.reset_rate;
    const midstream = this.midstream.nextFloat() < knobs.midstream_reset_rate;
    if (error) return { kind: "error", status: knobs.error_status };
    if (hang) return { kind: "hang" };
    if (reset) return { kind: "reset" };
    return midstream ? { kind: "midstream_reset", tokens: knobs.midstream_reset_tokens } : NONE;
  }

  /** Whether the next KV read fails. */
  nextKvFailure(knobs: Knobs): boolean {
    return this.kv.nextFloat() < knobs.kv_failure_rate;
  }
}
