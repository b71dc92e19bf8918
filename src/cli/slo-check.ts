import { InputError } from "../errors.js";
import type { SweepPlan } from "../sweep/plan.js";

/** @throws InputError where a flag about SLO attainment meets a scenario without an SLO */
export function checkSlo({ points }: SweepPlan, flag: string): void {
  const without = points.find(({ scenario: { slo } }) => Object.values(slo).every((limit) => limit === null));
  if (without === undefined) return;
  throw new InputError(
    `${flag}: applies to scenarios with an SLO; expected slo.ttft_ms, slo.tpot_ms or slo.e2e_ms`,
  );
}
