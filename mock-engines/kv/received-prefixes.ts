/**
 * LMCache: prefixes whose KV has been pushed to an engine and waits for the request it was made for. Each is
 * taken once, or given up at the end of its lease. Time comes in as an argument.
 */
export class ReceivedPrefixes {
  /** When each is given up, by name (`prefixKey`). */
  private readonly untilMs = new Map<string, number>();

  add(prefix: string, untilMs: number): void {
    this.untilMs.set(prefix, untilMs);
  }

  /** Takes the first of the names that is here. Returns whether one was. */
  take(prefixes: readonly string[], nowMs: number): boolean {
    this.expire(nowMs);
    return prefixes.some((prefix) => this.untilMs.delete(prefix));
  }

  expire(nowMs: number): void {
    for (const [prefix, untilMs] of this.untilMs) if (untilMs <= nowMs) this.untilMs.delete(prefix);
  }

  get size(): number {
    return this.untilMs.size;
  }
}
