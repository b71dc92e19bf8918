import type { Summary } from "../measure/summary.js";
import type { SweepFingerprint } from "./fingerprint.js";

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
  /** null when the run failed or was stopped; then `error` says why. */
  readonly summary: Summary | null;
  readonly error: string | null;
  /** The run was stopped on request (`--stop-below`), because it could not reach the attainment asked for. */
  readonly stopped?: true;
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

/** The result of a sweep from all its points, in grid order. */
export function sweepResult(fingerprint: SweepFingerprint, points: readonly SweepPoint[]): SweepResult {
  const { pdbench, workload_hash, axes, seeds, scenario, stop_below } = fingerprint;
  return {
    schema: "pdbench/sweep@1",
    name: scenario.name,
    versions: { pdbench },
    workload_hash,
    axes,
    seeds,
    scenario,
    points,
    notes: [...sharedNotes(points), ...(stop_below === undefined ? [] : [stopNote(points, stop_below)])],
  };
}

/** What holds for every run is said once for the sweep. */
function sharedNotes(points: readonly SweepPoint[]): readonly string[] {
  const [first, ...others] = points.flatMap(({ runs }) => runs.flatMap(({ summary }) => summary ?? []));
  if (first === undefined) return [];
  return first.notes.filter((note) => others.every(({ notes }) => notes.includes(note)));
}

function stopNote(points: readonly SweepPoint[], stopBelow: number): string {
  const runs = points.flatMap((point) => point.runs);
  const stopped = runs.filter((run) => run.stopped === true).length;
  return (
    `Runs that could no longer reach an SLO attainment of ${Number((stopBelow * 100).toFixed(2))} % were ` +
    `stopped and have no figures: ${stopped} of ${runs.length}.`
  );
}
