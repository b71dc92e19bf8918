import { CaseSkipped, type Findings } from "./findings.js";
import { Exchange, type Setup } from "./exchange.js";
import type { Answers, Leg } from "./wire.js";

/** One row of the table that a router is held against. */
export interface ConformanceCase {
  /** e.g. `prefill-leg/min-tokens`. */
  readonly name: string;
  /** What a router must do, as a sentence. */
  readonly rule: string;
  /** Engines fail in it: plain requests follow, so that no breaker stays open for the next case. */
  readonly hasFaults?: true;
  run(probe: Probe): Promise<void>;
}

/** What a case works with. */
export class Probe {
  readonly setup: Setup;
  readonly findings: Findings;
  readonly exchanges: Exchange[] = [];

  constructor(setup: Setup, findings: Findings) {
    this.setup = setup;
    this.findings = findings;
  }

  get model(): string {
    return this.setup.model;
  }

  /** A new exchange of this case. */
  exchange(answers: Answers = {}): Exchange {
    const exchange = new Exchange(this.setup, answers);
    this.exchanges.push(exchange);
    return exchange;
  }

  /** Ends the case as skipped unless `holds`. */
  needs(holds: boolean, why: string): void {
    if (!holds) throw new CaseSkipped(why);
  }

  /** For cases on the form of the prefill leg. */
  needsShortPrefill(): void {
    const { dialect } = this.setup;
    this.needs(
      dialect.shortensPrefill,
      `with ${dialect.name} both legs get the client's request; the prefill engine ends by itself`,
    );
  }

  /** The prefill leg of an exchange whose client has its whole answer, which must be a success. */
  async served(exchange: Exchange): Promise<{ prefill: Leg; decode: Leg }> {
    const prefill = await exchange.leg("prefill");
    const decode = await exchange.leg("decode");
    const { status, state, text } = await exchange.client!.over();
    this.findings.check(
      status === 200 && state === "complete",
      `the client got ${outcomeOf(status, state)}, expected 200: ${text.slice(0, 200)}`,
    );
    return { prefill, decode };
  }
}

/** How an answer ended, in words. */
export function outcomeOf(status: number | null, state: "open" | "complete" | "broken"): string {
  if (status === null) return "a closed connection without an answer";
  return state === "broken" ? `status ${status} and then a broken connection` : `status ${status}`;
}
