import { ClientCall } from "./client-call.js";
import type { KitDialect } from "./dialects/kit-dialect.js";
import { isGeneration, type KitEngine } from "./kit-engine.js";
import { markerIdOf, markerOf, type Answers, type Leg, type Role, type Wire } from "./wire.js";

/** What all cases of a run share. */
export interface Setup {
  /** Of the router. */
  readonly url: string;
  readonly dialect: KitDialect;
  readonly engines: readonly KitEngine[];
  readonly wire: Wire;
  readonly model: string;
  /** Longest wait for something that must happen. */
  readonly timeoutMs: number;
  /** Data-parallel ranks behind each engine; 1 = the router was not told of any. */
  readonly dataParallelSize: number;
  /** The router was started with a policy that keeps sessions together. */
  readonly expectsAffinity: boolean;
}

/** One request to the router with the legs it leads to, retries included. */
export class Exchange {
  readonly number: number;
  private readonly setup: Setup;
  private call: ClientCall | null = null;

  /** @param answers How engines answer the legs; those that are not given as vLLM does. */
  constructor(setup: Setup, answers: Answers) {
    this.setup = setup;
    this.number = setup.wire.open(answers);
  }

  /** A text that must be in the prompt, or in the target of a request without one. */
  get marker(): string {
    return markerOf(this.number);
  }

  /** The same where the prompt is token ids. */
  get markerId(): number {
    return markerIdOf(this.number);
  }

  /** The client's side of it, once sent. */
  get client(): ClientCall | null {
    return this.call;
  }

  /**
   * Sends the request.
   *
   * @param body JSON text
   * @param headers names and values in turn, `content-type` apart
   */
  post(path: string, body: string, headers: readonly string[] = []): ClientCall {
    return this.send("POST", path, body, ["content-type", "application/json", ...headers]);
  }

  send(method: string, path: string, body: string, headers: readonly string[] = []): ClientCall {
    const { url, timeoutMs } = this.setup;
    this.call = new ClientCall(url, { method, path, headers, body }, timeoutMs);
    return this.call;
  }

  /** Generation requests that engines of a role have received so far. */
  legs(role: Role): readonly Leg[] {
    return this.all.filter((leg) => leg.role === role && isGeneration(leg));
  }

  /** Everything that engines have received so far. */
  get all(): readonly Leg[] {
    return this.setup.wire.legs(this.number);
  }

  /** The first leg of a role. @throws CaseFailure when none arrives in time */
  leg(role: Role): Promise<Leg> {
    return this.until(
      () => this.legs(role)[0],
      () => `no ${role} worker was asked within ${this.setup.timeoutMs / 1000} s`,
    );
  }

  /** Resolves when the router has closed a leg's connection. @throws CaseFailure when it does not in time */
  async cut(leg: Leg): Promise<void> {
    await this.until(
      () => (leg.state === "open" ? undefined : leg),
      () =>
        `the client has left, but ${this.setup.timeoutMs / 1000} s later the ${leg.role} leg on ${leg.engine} is still running`,
    );
  }

  private until<T>(look: () => T | undefined, message: () => string): Promise<T> {
    return this.setup.wire.until(look, this.setup.timeoutMs, message);
  }
}
