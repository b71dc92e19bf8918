/** Signals reach a process twice when npm passes them on; only a later one means "right now". */
const MS_BETWEEN_INTERRUPTS = 1000;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Stops listening. */
  readonly end: () => void;
}

/** The first of `signals` aborts `signal`, so that the work ends in order; another ends the process. */
export function listenForInterruption(signals: readonly NodeJS.Signals[] = ["SIGINT"]): Interruption {
  const interruption = new AbortController();
  let firstMs = Infinity;
  const onInterrupt = (): void => {
    if (performance.now() - firstMs > MS_BETWEEN_INTERRUPTS) process.exit(130);
    firstMs = Math.min(firstMs, performance.now());
    interruption.abort();
  };
  for (const signal of signals) process.on(signal, onInterrupt);
  return {
    signal: interruption.signal,
    end: () => {
      for (const signal of signals) process.off(signal, onInterrupt);
    },
  };
}
