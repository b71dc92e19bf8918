/** What came of a case. `warned`: a difference that public routers have and that a client can live with. */
export type Verdict = "passed" | "warned" | "failed" | "skipped";

/** Ends a case at once: something that all further checks need did not happen. */
export class CaseFailure extends Error {}

/** Ends a case that has nothing to say about this router; the message says why. */
export class CaseSkipped extends Error {}

/** What a case found, collected while it runs. */
export class Findings {
  readonly failures: string[] = [];
  readonly differences: string[] = [];
  /** What a reader of a passed case may want to know, e.g. that the router tried again. */
  readonly notes: string[] = [];

  /** Something is wrong. */
  fail(message: string): void {
    this.failures.push(message);
  }

  /** Something is unlike the usual, but legitimate; the message names a router that does so, if one is known. */
  differ(message: string): void {
    this.differences.push(message);
  }

  note(message: string): void {
    this.notes.push(message);
  }

  /** Fails with `message` unless `holds`. @returns `holds` */
  check(holds: boolean, message: string): boolean {
    if (!holds) this.fail(message);
    return holds;
  }

  get verdict(): Exclude<Verdict, "skipped"> {
    if (this.failures.length > 0) return "failed";
    return this.differences.length > 0 ? "warned" : "passed";
  }
}
