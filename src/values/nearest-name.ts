/**
 * The name of `names` that a mistyped `name` most likely means, or null when none is close: at most a third
 * of its letters differ (Damerau-Levenshtein, case and `-`/`_` ignored), or one is the beginning of the other.
 * Ties go to the first of `names`.
 */
export function nearestName(name: string, names: readonly string[]): string | null {
  const wanted = normalise(name);
  let nearest: string | null = null;
  let nearestDistance = Infinity;
  for (const candidate of names) {
    const known = normalise(candidate);
    const isPrefix = wanted.length >= 3 && (known.startsWith(wanted) || wanted.startsWith(known));
    const distance = isPrefix ? Math.min(1, editDistance(wanted, known)) : editDistance(wanted, known);
    if (distance < nearestDistance && distance <= Math.max(1, Math.floor(known.length / 3))) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** `, did you mean "x"?` for the nearest of `names`, or the empty string. */
export function didYouMean(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === null ? "" : `, did you mean "${nearest}"?`;
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, twoAbove[j - 2]! + 1);
      }
      row.push(best);
    }
    twoAbove = above;
    above = row;
  }
  return above[b.length]!;
}
