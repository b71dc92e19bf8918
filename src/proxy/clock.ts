/** The time in which the routing core lives, and in which the proxy does things at intervals. */
export interface ProxyClock {
  /** Monotonic, ms from the start of the proxy. */
  nowMs(): number;
  /** Wall milliseconds of one of `nowMs`. */
  readonly timeScale: number;
  /** Calls `tick` now and after every `intervalMs`; the result stops it. */
  every(intervalMs: number, tick: () => void): () => void;
  /** Calls `ring` once, in `delayMs`; the result takes it back. */
  after(delayMs: number, ring: () => void): () => void;
}

/** Time from now on, at the pace of mock engines that run with the same time scale. */
export function wallClock(timeScale = 1): ProxyClock {
  const startMs = performance.now();
  return {
    nowMs: () => (performance.now() - startMs) / timeScale,
    timeScale,
    every(intervalMs, tick) {
      const timer = setInterval(tick, intervalMs * timeScale);
      timer.unref();
      tick();
      return () => clearInterval(timer);
    },
    after(delayMs, ring) {
      const timer = setTimeout(ring, delayMs * timeScale);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
