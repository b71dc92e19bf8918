import type { StepLoad } from "./types.js";

/** How a request comes into a step: first admission, admission after a preemption, or already running. */
export const KIND = { first: 0, resumed: 1, running: 2 } as const;

/**
 * What one `schedule()` decided: the requests of the step in vLLM's order, with their tokens. Reused from step
 * to step.
 */
export class StepBatch {
  length = 0;
  /** Scheduled tokens. */
  tokens = 0;
  /** Whether the schedule preempted a request: the next one may then find room, even if this one is empty. */
  preempted = false;
  slot: Int32Array;
  /** Tenant of the slot at the time: a request aborted in mid-step must not be updated. */
  serial: Int32Array;
  kind: Uint8Array;
  computedBefore: Int32Array;
  scheduledTokens: Int32Array;
  /** Blocks held before the step's allocation (0 for admissions: their whole table is new). */
  blocksBefore: Int32Array;
  /** 1 if the step brings the request up to its known tokens and so yields one. */
  yields: Uint8Array;
  /** When the step was scheduled, starts to run and ends. */
  scheduledMs = 0;
  startMs = 0;
  endMs = 0;
  readonly load: StepLoad = {
    decodes: 0,
    decodeContextTokens: 0,
    decodeMaxContextTokens: 0,
    prefills: 0,
    prefillTokens: 0,
    prefillContextTokens: 0,
    prefillPairs: 0,
  };

  constructor(capacity: number) {
    this.slot = new Int32Array(capacity);
    this.serial = new Int32Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.computedBefore = new Int32Array(capacity);
    this.scheduledTokens = new Int32Array(capacity);
    this.blocksBefore = new Int32Array(capacity);
    this.yields = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
    this.tokens = 0;
    this.preempted = false;
    const { load } = this;
    load.decodes = 0;
    load.decodeContextTokens = 0;
    load.decodeMaxContextTokens = 0;
    load.prefills = 0;
    load.prefillTokens = 0;
    load.prefillContextTokens = 0;
    load.prefillPairs = 0;
  }

  add(slot: number, serial: number, kind: number, computed: number, tokens: number, blocks: number): void {
    const i = this.length++;
    this.slot[i] = slot;
    this.serial[i] = serial;
    this.kind[i] = kind;
    this.computedBefore[i] = computed;
    this.scheduledTokens[i] = tokens;
    this.blocksBefore[i] = blocks;
    this.yields[i] = 0;
    this.tokens += tokens;
  }

  /** Whether any request gets a token from the step. */
  yieldsAny(): boolean {
    for (let i = 0; i < this.length; i++) if (this.yields[i] === 1) return true;
    return false;
  }

  /** Whether it has `requests` requests, and each of them gets a token from it. */
  yieldsAll(requests: number): boolean {
    if (this.length !== requests || this.preempted) return false;
    for (let i = this.length - 1; i >= 0; i--) if (this.yields[i] === 0) return false;
    return true;
  }

  /** Takes request `slot` out again and returns the tokens it had. */
  withdraw(slot: number): number {
    const at = this.slot.subarray(0, this.length).indexOf(slot);
    const tokens = this.scheduledTokens[at]!;
    for (const column of [
      this.slot,
      this.serial,
      this.kind,
      this.computedBefore,
      this.scheduledTokens,
      this.blocksBefore,
      this.yields,
    ]) {
      column.copyWithin(at, at + 1, this.length);
    }
    this.length--;
    this.tokens -= tokens;
    return tokens;
  }

  /** Sums up what the step has to compute. A single token on top of a context counts as a decode. */
  measureLoad(): void {
    const { load } = this;
    for (let i = 0; i < this.length; i++) {
      const tokens = this.scheduledTokens[i]!;
      const context = this.computedBefore[i]!;
      if (tokens === 1) {
        load.decodes++;
        load.decodeContextTokens += context + 1;
        if (context >= load.decodeMaxContextTokens) load.decodeMaxContextTokens = context + 1;
      } else {
        load.prefills++;
        load.prefillTokens += tokens;
        load.prefillContextTokens += context;
        load.prefillPairs += tokens * (context + tokens / 2);
      }
    }
  }
}
