import type { Random } from "../../values/random.js";
import type { TraceWriter } from "./generated-trace.js";
import type { Parameters, ParameterSpec, ParameterValue, Values } from "./parameters.js";

/** A stream of requests that knows when its next one arrives. */
export interface RequestSource {
  /** Arrival of what `emit` adds next, ms. */
  nextMs(): number;
  /** Adds the requests that arrive at `nextMs()`. */
  emit(trace: TraceWriter): void;
  /** Whether a later turn of a session is still to be emitted; absent = no session has later turns. */
  awaits?(session: number): boolean;
}

/** What a generator has besides its parameters. */
export interface GeneratorContext {
  /** Requests per second on average. */
  readonly ratePerS: number;
  /** The random stream of a purpose; other purposes do not shift it. */
  readonly random: (purpose: string) => Random;
}

/** A kind of synthetic traffic, as users name it. */
export interface GeneratorSpec {
  readonly name: string;
  readonly summary: string;
  /** What the shape of the traffic follows. */
  readonly source: string;
  readonly parameters: readonly ParameterSpec[];
  /** @param values checked, complete values of `parameters`. */
  open(values: Readonly<Record<string, ParameterValue>>, context: GeneratorContext): RequestSource;
}

/** A generator from its parameters by name; inside `open` they have the types of their defaults. */
export function defineGenerator<P extends Parameters>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly parameters: P;
  open(values: Values<P>, context: GeneratorContext): RequestSource;
}): GeneratorSpec {
  return {
    name: definition.name,
    summary: definition.summary,
    source: definition.source,
    parameters: Object.entries(definition.parameters).map(([name, parameter]) => ({ name, ...parameter })),
    open: (values, context) => definition.open(values as Values<P>, context),
  };
}
