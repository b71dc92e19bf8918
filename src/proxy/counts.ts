/** Counts by a few texts, which become the values of labels. */
export class Counts {
  private readonly counts = new Map<string, number>();

  add(...values: readonly string[]): void {
    const key = values.join("\n");
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  samples(labelNames: readonly string[]): (readonly [Record<string, string>, number])[] {
    return [...this.counts].map(([key, count]) => {
      const values = key.split("\n");
      return [Object.fromEntries(labelNames.map((name, i) => [name, values[i]!])), count] as const;
    });
  }
}
