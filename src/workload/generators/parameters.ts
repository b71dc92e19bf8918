import { InputError } from "../../errors.js";
import { didYouMean } from "../../values/nearest-name.js";

export type ParameterValue = number | string;

/** What a parameter takes; its name is its key in the list of a generator. */
export interface Parameter<T extends ParameterValue = ParameterValue> {
  readonly type: "number" | "integer" | "enum";
  readonly default: T;
  /** Inclusive bounds. */
  readonly min?: number;
  readonly max?: number;
  /** The valid values of an `enum`. */
  readonly values?: readonly T[];
  /** e.g. `tokens`, `s`; empty where there is none. */
  readonly unit: string;
  readonly summary: string;
}

/** A parameter as the scenario check, its JSON Schema and the reference pages see it. */
export interface ParameterSpec extends Parameter {
  readonly name: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** The values of a list of parameters, by name. */
export type Values<P extends Parameters> = {
  readonly [N in keyof P]: P[N] extends Parameter<infer T> ? T : never;
};

type Bounds = Readonly<{ min: number; max: number; unit?: string }>;

export function number(initial: number, bounds: Bounds, summary: string): Parameter<number> {
  return { type: "number", default: initial, unit: "", ...bounds, summary };
}

export function integer(initial: number, bounds: Bounds, summary: string): Parameter<number> {
  return { type: "integer", default: initial, unit: "", ...bounds, summary };
}

export function choice<const V extends string>(
  initial: NoInfer<V>,
  values: readonly V[],
  summary: string,
): Parameter<V> {
  return { type: "enum", default: initial, values, unit: "", summary };
}

/**
 * The values in force: those given, and the defaults of the others.
 *
 * @param path what the parameters belong to, for messages.
 * @throws InputError naming the parameter, its value and what was expected.
 */
export function checkParameters(
  parameters: Parameters,
  given: Readonly<Record<string, unknown>>,
  path: string,
): Record<string, ParameterValue> {
  const names = Object.keys(parameters);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    const hint = didYouMean(name, names) || `, expected one of ${names.join(", ")}`;
    throw new InputError(`${path}.${name}: unknown parameter${hint}`);
  }
  return Object.fromEntries(
    names.map((name) => {
      const parameter = parameters[name]!;
      const value = given[name] ?? parameter.default;
      if (!isValid(parameter, value)) {
        const known =
          typeof value === "string" ? didYouMean(value, (parameter.values ?? []) as string[]) : "";
        throw new InputError(
          `${path}.${name}: got ${JSON.stringify(value)}, expected ${expectation(parameter)}${known}`,
        );
      }
      return [name, value];
    }),
  );
}

function isValid({ type, min, max, values }: Parameter, value: unknown): value is ParameterValue {
  if (type === "enum") return values!.includes(value as ParameterValue);
  if (typeof value !== "number" || (type === "integer" && !Number.isInteger(value))) return false;
  return value >= min! && value <= max!;
}

/** What a parameter takes, in words. */
function expectation({ type, min, max, values }: Parameter): string {
  if (type === "enum") return values!.map((value) => `"${value}"`).join(" or ");
  return `a ${type === "integer" ? "whole number" : "number"} from ${min!} to ${max!}`;
}
