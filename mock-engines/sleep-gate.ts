/** Holds generation requests back while the engine sleeps. */
export class SleepGate {
  private closed = false;
  private readonly waiting = new Set<() => void>();

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.closed = false;
    for (const go of this.waiting) go();
    this.waiting.clear();
  }

  /** Resolves when the gate is open; at once if it is. */
  pass(): Promise<void> {
    if (!this.closed) return Promise.resolve();
    return new Promise((resolve) => this.waiting.add(resolve));
  }
}
