/** Counts decisions by the branch that made them, in order of first appearance. */
export class BranchCounts {
  private readonly counts = new Map<string, number>();

  add(branch: string): void {
    this.counts.set(branch, (this.counts.get(branch) ?? 0) + 1);
  }

  /** Adds the counts to those under `<prefix>.<branch>`. */
  writeTo(out: Record<string, number>, prefix: string): void {
    for (const [branch, count] of this.counts) {
      const name = `${prefix}.${branch}`;
      out[name] = (out[name] ?? 0) + count;
    }
  }
}
