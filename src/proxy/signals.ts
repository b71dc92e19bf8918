import type { DrainSettings } from "./lifetime.js";
import type { ProcessLog } from "./process-log.js";
import type { RunningProxy } from "./server.js";

type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Where signals come from: `process`. */
export interface SignalSource {
  on(signal: Signal, listener: () => void): unknown;
  off(signal: Signal, listener: () => void): unknown;
}

export interface SignalActions {
  readonly proxy: Pick<RunningProxy, "drain" | "close">;
  readonly drain: DrainSettings;
  /** Reads the settings again; what it returns is logged, what it throws too. */
  readonly reload: () => string;
  /** Rejects when the proxy has no reason to go on. */
  readonly failure: Promise<never>;
  readonly log: ProcessLog;
}

/**
 * Lets a proxy run until it is told to end: SIGTERM and SIGINT let open requests finish, a second one cuts
 * them; SIGHUP reads the settings again. Resolves when everything is closed.
 *
 * @throws what `failure` is rejected with, everything closed.
 */
export async function runUntilSignal(
  { proxy, drain, reload, failure, log }: SignalActions,
  signals: SignalSource = process,
): Promise<void> {
  const onHangup = () => {
    try {
      log.say("info", reload());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.say("error", `reload failed: ${reason}`);
    }
  };
  let told = 0;
  let onTold: (() => void)[] = [];
  const onEnd = () => {
    told++;
    onTold.forEach((resolve) => resolve());
    onTold = [];
  };
  const nextEnd = () => new Promise<void>((resolve) => onTold.push(resolve));
  signals.on("SIGHUP", onHangup);
  signals.on("SIGTERM", onEnd);
  signals.on("SIGINT", onEnd);
  try {
    if (told === 0) await Promise.race([nextEnd(), failure]);
    log.say("info", `pdbench proxy ends: readiness is off, open requests have ${drain.timeoutMs / 1000} s`);
    const cut = await Promise.race([proxy.drain(drain), nextEnd().then(() => "told again" as const)]);
    if (cut === "told again") log.say("warn", "told to end again: open requests are cut");
    else if (cut > 0) log.say("warn", `the time is over: ${cut} open requests are cut`);
  } finally {
    await proxy.close();
    signals.off("SIGHUP", onHangup);
    signals.off("SIGTERM", onEnd);
    signals.off("SIGINT", onEnd);
  }
}
