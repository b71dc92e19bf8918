/** Numbers of a run: its first symbol and how many follow each other from there. */
const RUN = 2;
const COUNT = 1;

/**
 * Sequences of symbols, kept as runs of consecutive ones: new content is numbered in order of appearance, so an edge
 * of a prefix tree is a run or two, however long it is. A sequence begins at a run, past the first `skip` symbols of it.
 */
export class SymbolRuns {
  private runs = new Int32Array(64 * RUN);
  private used = 0;

  /** Whether `count` more symbols find room, whatever they are. */
  fits(count: number): boolean {
    return (this.used + count) * RUN <= this.runs.length;
  }

  /** Appends `symbols[from, to)`, at least one, for which there is room, and returns its first run. */
  append(symbols: Int32Array, from: number, to: number): number {
    const { runs } = this;
    const first = this.used;
    let run = first;
    for (let at = from; at < to; run++) {
      const symbol = symbols[at]!;
      let count = 1;
      while (at + count < to && symbols[at + count] === symbol + count) count++;
      runs[run * RUN] = symbol;
      runs[run * RUN + COUNT] = count;
      at += count;
    }
    this.used = run;
    return first;
  }

  symbol(run: number, skip: number): number {
    return this.runs[run * RUN]! + skip;
  }

  /** How many symbols of the key from `at` on, `most` at most, are those of a sequence that is at least as long. */
  shared(run: number, skip: number, symbols: Int32Array, at: number, most: number): number {
    const { runs } = this;
    let shared = 0;
    for (let passed = skip; shared < most; run++, passed = 0) {
      const symbol = runs[run * RUN]! + passed - shared;
      const end = Math.min(most, shared + runs[run * RUN + COUNT]! - passed);
      while (shared < end && symbols[at + shared] === symbol + shared) shared++;
      if (shared < end) break;
    }
    return shared;
  }

  /** The run in which symbol `passed` of a sequence lies that begins with a whole run; `passedIn` tells how far in. */
  runAfter(run: number, passed: number): number {
    const { runs } = this;
    let left = passed;
    for (; left >= runs[run * RUN + COUNT]!; run++) left -= runs[run * RUN + COUNT]!;
    this.passedIn = left;
    return run;
  }

  /** As `runAfter` found it. */
  passedIn = 0;

  /** Runs that a sequence of `length` symbols reaches into. */
  countOf(run: number, skip: number, length: number): number {
    let count = 0;
    for (let left = skip + length; left > 0; count++) left -= this.runs[(run + count) * RUN + COUNT]!;
    return count;
  }

  /** Empty ones with room for `count` runs. */
  static withRoom(count: number): SymbolRuns {
    const made = new SymbolRuns();
    made.runs = new Int32Array(count * RUN);
    return made;
  }

  /** Appends a sequence of another's, for which there is room, and returns its first run. */
  appendOf(from: SymbolRuns, run: number, skip: number, length: number): number {
    const first = this.used;
    let passed = skip;
    for (let left = length; left > 0; run++, passed = 0) {
      const count = Math.min(left, from.runs[run * RUN + COUNT]! - passed);
      this.runs[this.used * RUN] = from.runs[run * RUN]! + passed;
      this.runs[this.used * RUN + COUNT] = count;
      this.used++;
      left -= count;
    }
    return first;
  }

  /** Runs there is room for. */
  get room(): number {
    return this.runs.length / RUN;
  }
}
