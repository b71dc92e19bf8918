import { FastEngine } from "./fast-engine.js";
import type { EngineObserver } from "./observer.js";
import { PlainEngine } from "./plain-engine.js";
import type { Engine, EngineConfig, EngineListener, StepTimeModel } from "./types.js";

/**
 * An engine with vLLM's V1 scheduler and KV cache in virtual time.
 *
 * @param time `fast` collapses runs of decode-only steps in closed form, `plain` takes every step; both give the
 *   same events.
 * @param observer is told of every step and token; for comparisons and for servers that stream.
 */
export function createEngine(
  config: EngineConfig,
  stepTime: StepTimeModel,
  listener: EngineListener,
  time: "fast" | "plain",
  observer: EngineObserver | null = null,
): Engine {
  if (time === "fast") return new FastEngine(config, stepTime, listener, observer);
  return new PlainEngine(config, stepTime, listener, observer);
}
