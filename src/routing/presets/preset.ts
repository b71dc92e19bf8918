import type { ParameterValues } from "../parameters.js";

/** A public router as it ships: settings of the `router` block, and what they stand for. */
export interface Preset {
  /** The name users type. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Product and version. */
  readonly source: string;
  /** What of the product the settings reproduce, one item each. */
  readonly models: readonly string[];
  /** What of the product they do not. */
  readonly doesNotModel: readonly string[];
  /**
   * As a user would write them in a scenario's `router` block. Blocks of one leg apply to the preset's own
   * policy of that leg only.
   */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The product's parameters of policies and deciders, by name: in force wherever one of these is chosen. */
  readonly parameters: Readonly<Record<string, ParameterValues>>;
  /** How the product hears of its engines; null = it does not poll them. */
  readonly statsIntervalMs: number | null;
}
