import type { StepView } from "../../src/engine/observer.js";
import type { EngineConfig } from "../../src/engine/types.js";
import { anEngineConfig, TEN_MS_STEPS } from "./builders.js";
import { drive, type Outcome, type Submission } from "./driver.js";

/** Every step of a plain engine whose steps take 10 ms, steps without tokens included. */
export function stepsOf(
  config: Partial<EngineConfig>,
  submissions: readonly Submission[],
): Outcome & { steps: StepView[] } {
  const steps: StepView[] = [];
  const outcome = drive({
    config: anEngineConfig(config),
    stepTime: TEN_MS_STEPS,
    time: "plain",
    submissions,
    observer: { onStep: (step) => steps.push(step) },
  });
  return { ...outcome, steps };
}

/** Who ran in a step and with how many tokens: `[id, tokens]`. */
export function batchOf(step: StepView): [number, number][] {
  return step.scheduled.map(({ id, tokens }) => [id, tokens]);
}
