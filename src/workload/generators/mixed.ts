import { InputError } from "../../errors.js";
import type { GeneratorSpec, RequestSource } from "./generator.js";
import { number, type ParameterSpec, type ParameterValue } from "./parameters.js";

/** Requests of several generators at once, each at its share of the rate. */
export function mixedOf(parts: readonly GeneratorSpec[]): GeneratorSpec {
  const weights = parts.map(({ name }): ParameterSpec => ({
    name: `${name}_weight`,
    ...number(
      name === "lengths" ? 0 : 1,
      { min: 0, max: 1e6 },
      `Share of ${name} in the requests; 0 = none.`,
    ),
  }));
  const inherited = parts.flatMap(({ name, parameters }) =>
    parameters.map((parameter) => ({ ...parameter, name: `${name}.${parameter.name}` })),
  );
  return {
    name: "mixed",
    summary: "Several kinds of traffic at once, by weight, each with its parameters.",
    source: "pdbench",
    parameters: [...weights, ...inherited],
    open(values, { ratePerS, random }) {
      const weightOf = (name: string): number => values[`${name}_weight`] as number;
      const total = parts.reduce((sum, { name }) => sum + weightOf(name), 0);
      if (total === 0) throw new InputError("generate: got only weights of 0, expected one above 0");
      const sources = parts
        .filter(({ name }) => weightOf(name) > 0)
        .map((part) =>
          part.open(valuesOf(part, values), {
            ratePerS: (ratePerS * weightOf(part.name)) / total,
            random: (purpose) => random(`${part.name}.${purpose}`),
          }),
        );
      const earliest = (): RequestSource =>
        sources.reduce((first, source) => (source.nextMs() < first.nextMs() ? source : first));
      return {
        nextMs: () => earliest().nextMs(),
        emit: (trace) => earliest().emit(trace),
        ...(sources.some((source) => source.awaits !== undefined) && {
          awaits: (session: number) => sources.some((source) => source.awaits?.(session) === true),
        }),
      };
    },
  };
}

/** The values that belong to one part, under their own names. */
function valuesOf(
  { name, parameters }: GeneratorSpec,
  values: Readonly<Record<string, ParameterValue>>,
): Record<string, ParameterValue> {
  return Object.fromEntries(
    parameters.map((parameter) => [parameter.name, values[`${name}.${parameter.name}`]!]),
  );
}
