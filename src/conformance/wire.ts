import { CaseFailure } from "./findings.js";
import type { Answering } from "./kit-engine.js";

export type Role = "prefill" | "decode";

/** A request that one of the kit's engines received, and how it ended. */
export interface Leg {
  /** Number of the request over all engines, in order of arrival. */
  readonly order: number;
  /** e.g. `prefill-0`. */
  readonly engine: string;
  readonly role: Role;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** The body parsed, where it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** `cut`: the connection was closed before the answer was complete. */
  state: "open" | "answered" | "cut";
  /** Status of the answer; null before its head went out. */
  status: number | null;
}

/** How engines of each role answer the requests of one exchange. */
export type Answers = Readonly<Partial<Record<Role, Answering>>>;

/** Of one exchange: what its requests are recognised by, and how engines answer them. */
interface Plan {
  readonly answers: Answers;
  readonly legs: Leg[];
}

const MARKER = /pdbc-(\d+)-|\b77(\d{6})77\b/;
const SEARCHED_BYTES = 1 << 16;

/**
 * Everything that reaches the kit's engines. A request belongs to the exchange whose marker is in its target
 * or body; health checks and polls carry none and are kept apart.
 */
export class Wire {
  private readonly plans = new Map<number, Plan>();
  private readonly watchers = new Set<() => void>();
  private exchanges = 0;
  private orders = 0;

  /** Opens an exchange. @returns its number */
  open(answers: Answers): number {
    const number = ++this.exchanges;
    this.plans.set(number, { answers, legs: [] });
    return number;
  }

  nextOrder(): number {
    return this.orders++;
  }

  /** Takes in a request. @returns how it is to be answered; null = as an engine does by default */
  record(leg: Leg): Answering | null {
    const plan = this.plans.get(exchangeIn(leg));
    plan?.legs.push(leg);
    this.changed();
    return plan?.answers[leg.role] ?? null;
  }

  /** A leg has changed its state. */
  changed(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  legs(exchange: number): readonly Leg[] {
    return this.plans.get(exchange)?.legs ?? [];
  }

  /**
   * Resolves with what `look` finds as soon as it finds something.
   *
   * @throws CaseFailure with `message` when that takes longer than `timeoutMs`
   */
  until<T>(look: () => T | undefined, timeoutMs: number, message: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.watchers.delete(watcher);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new CaseFailure(message()));
      }, timeoutMs);
      this.watchers.add(watcher);
      watcher();
    });
  }
}

/** The texts by which an engine recognises the requests of an exchange. */
export function markerOf(exchange: number): string {
  return `pdbc-${exchange}-`;
}

/** The same as a token id. */
export function markerIdOf(exchange: number): number {
  return Number(`77${String(exchange).padStart(6, "0")}77`);
}

/** Number of the exchange a request belongs to, or -1. */
export function exchangeIn({ url, body }: Pick<Leg, "url" | "body">): number {
  const found = MARKER.exec(url) ?? MARKER.exec(body.toString("latin1", 0, SEARCHED_BYTES)) ?? null;
  return found === null ? -1 : Number(found[1] ?? found[2]);
}

/** The values of a header, in order. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() === name) values.push(rawHeaders[i + 1]!);
  }
  return values;
}
