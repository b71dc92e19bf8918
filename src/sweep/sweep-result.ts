import type { Summary } from "../measure/summary.js";

/** A value a swept setting can take. */
export type SettingValue = number | string | boolean | null;

/** One axis of the grid: a setting by its dotted path or short name, and its values in order. */
export interface SweepAxis {
  readonly setting: string;
  readonly values: readonly SettingValue[];
}

/** One run of a point: the same settings under one seed. */
export interface SweepRun {
  readonly seed: number;
  /** null when the run failed; then `error` says why. */
  readonly summary: Summary | null;
  readonly error: string | null;
}

/** One cell of the grid. */
export interface SweepPoint {
  /** Position in the grid, the last axis varying fastest. */
  readonly index: number;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly runs: readonly SweepRun[];
}

/** `sweep.json`: everything a sweep found. Points are in grid order whatever order they ran in. */
export interface SweepResult {
  readonly schema: "pdbench/sweep@1";
  readonly name: string;
  readonly versions: { readonly pdbench: string };
  /** SHA-256 of the trace file or of the generator's settings. */
  readonly workload_hash: string;
  readonly axes: readonly SweepAxis[];
  readonly seeds: readonly number[];
  /** The scenario with every default filled in, before the axes are applied. */
  readonly scenario: unknown;
  readonly points: readonly SweepPoint[];
  readonly notes: readonly string[];
}
