/** Counts decisions by the branch that made them, in order of first appearance. */
export class BranchCounts {
  private readonly counts = new Map<string, number>();

  add(branch: string): void {
    this.counts.set(branch, (this.counts.get(branch) ?? 0) + 1);
  }

  /** Writes the counts under `<prefix>.<branch>`. */
  writeTo(out: Record<string, number>, prefix: string): void {
    for (const [branch, count] of this.counts) out[`${prefix}.${branch}`] = count;
  }
}
