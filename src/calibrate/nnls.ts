/**
 * Non-negative least squares: the `x >= 0` that minimises `|A x - b|`, by the active-set method of Lawson and
 * Hanson (1974) on the normal equations. For a handful of well-scaled columns; columns are scaled to unit
 * length here. A column that the others explain completely gets 0.
 *
 * @param rows rows of A, all of one length
 * @param targets b, one per row
 */
export function nonNegativeLeastSquares(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
): number[] {
  const columns = rows[0]?.length ?? 0;
  const scale = Array.from({ length: columns }, (_, j) => Math.hypot(...rows.map((row) => row[j]!)) || 1);
  const gram = Array.from({ length: columns }, (_, j) =>
    Array.from({ length: columns }, (_, k) =>
      rows.reduce((sum, row) => sum + (row[j]! / scale[j]!) * (row[k]! / scale[k]!), 0),
    ),
  );
  const moment = scale.map((length, j) =>
    rows.reduce((sum, row, i) => sum + (row[j]! / length) * targets[i]!, 0),
  );
  const tolerance = 1e-11 * Math.max(...moment.map(Math.abs), Number.MIN_VALUE);

  let x = new Array<number>(columns).fill(0);
  const active = new Set<number>();
  for (let round = 0; round < 10 * columns; round++) {
    const entering = steepest(gram, moment, x, active, tolerance);
    if (entering < 0) break;
    active.add(entering);
    let solution = solveOn(gram, moment, active);
    if (solution[entering]! <= 0) {
      active.delete(entering);
      break;
    }
    while ([...active].some((j) => solution[j]! <= 0)) {
      x = stepTowards(x, solution, active);
      solution = solveOn(gram, moment, active);
    }
    x = solution;
  }
  return x.map((value, j) => value / scale[j]!);
}

/** The inactive column along which the error falls fastest, or -1. */
function steepest(
  gram: readonly (readonly number[])[],
  moment: readonly number[],
  x: readonly number[],
  active: ReadonlySet<number>,
  tolerance: number,
): number {
  let best = -1;
  let bestDescent = tolerance;
  for (let j = 0; j < x.length; j++) {
    if (active.has(j)) continue;
    const descent = moment[j]! - gram[j]!.reduce((sum, value, k) => sum + value * x[k]!, 0);
    if (descent > bestDescent) {
      best = j;
      bestDescent = descent;
    }
  }
  return best;
}

/** Goes from `x` towards `solution` until a first active column reaches 0, and takes it out of `active`. */
function stepTowards(x: readonly number[], solution: readonly number[], active: Set<number>): number[] {
  let share = 1;
  for (const j of active) {
    if (solution[j]! <= 0) share = Math.min(share, x[j]! / (x[j]! - solution[j]!));
  }
  const next = x.map((value, j) => value + share * (solution[j]! - value));
  for (const j of [...active]) {
    if (solution[j]! <= 0 && next[j]! <= 1e-14) {
      next[j] = 0;
      active.delete(j);
    }
  }
  return next;
}

/** Least squares on the active columns by Gaussian elimination; 0 elsewhere and for dependent columns. */
function solveOn(
  gram: readonly (readonly number[])[],
  moment: readonly number[],
  active: ReadonlySet<number>,
): number[] {
  const index = [...active];
  const system = index.map((j) => [...index.map((k) => gram[j]![k]!), moment[j]!]);
  const size = index.length;
  for (let pivot = 0; pivot < size; pivot++) {
    let row = pivot;
    for (let i = pivot + 1; i < size; i++) {
      if (Math.abs(system[i]![pivot]!) > Math.abs(system[row]![pivot]!)) row = i;
    }
    [system[pivot], system[row]] = [system[row]!, system[pivot]!];
    if (Math.abs(system[pivot]![pivot]!) < 1e-12) continue;
    for (let i = pivot + 1; i < size; i++) {
      const factor = system[i]![pivot]! / system[pivot]![pivot]!;
      for (let k = pivot; k <= size; k++) system[i]![k]! -= factor * system[pivot]![k]!;
    }
  }
  const solution = new Array<number>(moment.length).fill(0);
  for (let pivot = size - 1; pivot >= 0; pivot--) {
    const row = system[pivot]!;
    if (Math.abs(row[pivot]!) < 1e-12) continue;
    let rest = row[size]!;
    for (let k = pivot + 1; k < size; k++) rest -= row[k]! * solution[index[k]!]!;
    solution[index[pivot]!] = rest / row[pivot]!;
  }
  return solution;
}
