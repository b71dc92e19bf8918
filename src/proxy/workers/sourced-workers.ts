import { InputError } from "../../errors.js";
import type { Leg } from "../../routing/types.js";
import type { WorkerUrl } from "../worker-url.js";
import type { WorkerChanges } from "./worker-changes.js";

export interface WantedWorker {
  readonly leg: Leg;
  readonly url: WorkerUrl;
}

/**
 * The workers of one source, kept in step with what it names. Others, from the command line or added by hand,
 * are not touched; one that is there already is not taken over.
 */
export class SourcedWorkers {
  private readonly changes: WorkerChanges;
  private readonly warn: (message: string) => void;
  /** Leg by id of the workers that came from here. */
  private readonly own = new Map<string, Leg>();

  constructor(changes: WorkerChanges, warn: (message: string) => void) {
    this.changes = changes;
    this.warn = warn;
  }

  /** Adds what is new and lets go of what is no longer named. */
  follow(wanted: readonly WantedWorker[]): void {
    const named = new Map(wanted.map(({ leg, url }) => [url.id, leg]));
    for (const [id, leg] of this.own) {
      if (named.get(id) === leg) continue;
      this.own.delete(id);
      this.changes.remove(id);
    }
    for (const { leg, url } of wanted) {
      if (!this.changes.has(url.id)) this.add(url, leg);
    }
  }

  private add(url: WorkerUrl, leg: Leg): void {
    try {
      this.changes.add(url, leg);
      this.own.set(url.id, leg);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.warn(error.message);
    }
  }
}
