/** Why a handle that is presented is not good for a read; `ok` is good. */
export const READ_OUTCOMES = [
  "ok",
  "unknown",
  "wrong_engine",
  "wrong_blocks",
  "duplicate",
  "expired",
] as const;
export type ReadOutcome = (typeof READ_OUTCOMES)[number];

/** Totals over the life of a ledger. Every handle issued is in exactly one of the other figures or outstanding. */
export interface LedgerCounts {
  issued: number;
  /** Read completely by a decode engine. */
  read: number;
  /** Given back unread by a decode engine that no longer wants the KV. */
  released: number;
  /** Held for the whole lease without a complete read. */
  expired: number;
}

interface Handle {
  readonly legId: number;
  readonly blockIds: readonly number[];
  readonly expiresMs: number;
  reading: boolean;
}

type Closed = "read" | "released" | "expired";

/** Closed handles that are remembered, so that a second read can be told from an invented one. */
const REMEMBERED = 10_000;

/**
 * Blocks that a prefill engine holds for readers: one entry per handle it has given out, closed exactly once.
 * Time comes in as an argument.
 */
export class HandleLedger {
  readonly counts: LedgerCounts = { issued: 0, read: 0, released: 0, expired: 0 };
  private readonly engineId: string;
  /** In order of issue; leases are equally long unless the knob changes, so mostly in order of expiry too. */
  private readonly open = new Map<string, Handle>();
  private readonly closed = new Map<string, Closed>();

  constructor(engineId: string) {
    this.engineId = engineId;
  }

  /** @param legId the engine's id of the request whose blocks are held */
  issue(requestId: string, legId: number, blockIds: readonly number[], expiresMs: number): void {
    this.open.set(requestId, { legId, blockIds, expiresMs, reading: false });
    this.counts.issued++;
  }

  /** A decode engine presents a handle; if it is good, the blocks are being read from now on. */
  beginRead(engineId: string, requestId: string, blockIds: readonly number[]): ReadOutcome {
    if (engineId !== this.engineId) return "wrong_engine";
    const handle = this.open.get(requestId);
    if (handle === undefined) {
      const fate = this.closed.get(requestId);
      if (fate === undefined) return "unknown";
      return fate === "expired" ? "expired" : "duplicate";
    }
    if (handle.reading) return "duplicate";
    if (!sameIds(handle.blockIds, blockIds)) return "wrong_blocks";
    handle.reading = true;
    return "ok";
  }

  /** The read is complete. Returns the leg whose blocks may go, or null when they are gone already. */
  finishRead(requestId: string): number | null {
    if (this.open.get(requestId)?.reading !== true) return null;
    return this.close(requestId, "read");
  }

  /** Nobody will read the blocks. Returns the leg whose blocks may go, or null. */
  release(requestId: string): number | null {
    if (this.open.get(requestId)?.reading !== false) return null;
    return this.close(requestId, "released");
  }

  /** Closes all handles whose lease has ended and returns their legs. */
  expire(nowMs: number): number[] {
    const legs: number[] = [];
    for (const [requestId, handle] of this.open) {
      if (handle.expiresMs <= nowMs) legs.push(this.close(requestId, "expired"));
    }
    return legs;
  }

  /** When the next lease ends; Infinity when nothing is held. */
  nextExpiryMs(): number {
    let next = Infinity;
    for (const { expiresMs } of this.open.values()) next = Math.min(next, expiresMs);
    return next;
  }

  /** Handles given out and not closed. */
  get outstanding(): number {
    return this.open.size;
  }

  private close(requestId: string, fate: Closed): number {
    const { legId } = this.open.get(requestId)!;
    this.open.delete(requestId);
    this.closed.set(requestId, fate);
    if (this.closed.size > REMEMBERED) this.closed.delete(this.closed.keys().next().value!);
    this.counts[fate]++;
    return legId;
  }
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
