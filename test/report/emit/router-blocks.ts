import * as fc from "fast-check";
import type { ParameterSpec } from "../../../src/routing/parameters.js";
import { DECIDERS, deciderNamed, POLICIES, policyNamed } from "../../../src/routing/registry.js";
import { resolveRouterConfig } from "../../../src/routing/router-config.js";
import { RouterSettingError } from "../../../src/routing/setting-error.js";

type Block = Record<string, unknown>;

/** A valid value of a parameter, often its default. */
function valueOf(spec: ParameterSpec): fc.Arbitrary<unknown> {
  return fc.oneof(fc.constant(spec.default), spec.nullable ? fc.constant(null) : anyOf(spec), anyOf(spec));
}

function anyOf({ type, values, min = 0, max = 100_000, exclusiveMin }: ParameterSpec): fc.Arbitrary<unknown> {
  if (type === "boolean") return fc.boolean();
  if (type === "enum") return fc.constantFrom(...values!);
  if (type === "integer") return fc.integer({ min: Math.ceil(min), max });
  const from = exclusiveMin === true ? min + 0.001 : min;
  return fc.oneof(fc.integer({ min: Math.ceil(from), max }), fc.double({ min: from, max, noNaN: true }));
}

function valuesOf(specs: readonly ParameterSpec[]): fc.Arbitrary<Block> {
  return fc.record(Object.fromEntries(specs.map((spec) => [spec.name, valueOf(spec)])));
}

/** A `router` block of every kind that resolves: any decider, any policies, any values. */
export function routerBlocks(
  deciders: readonly string[] = DECIDERS.map(({ name }) => name),
  policies: readonly string[] = POLICIES.map(({ name }) => name),
): fc.Arbitrary<Block> {
  const policy = fc.constantFrom(...policies);
  return fc
    .record({ decider: fc.constantFrom(...deciders), prefill: policy, decode: policy, same: fc.boolean() })
    .chain(({ decider, prefill, decode, same }) =>
      fc.record({
        decider: valuesOf(deciderNamed(decider).parameters).map((params) => ({ kind: decider, ...params })),
        prefill_policy: fc.constant(prefill),
        decode_policy: fc.constant(same ? prefill : decode),
        prefill: valuesOf(policyNamed(prefill).parameters),
        decode: valuesOf(policyNamed(same ? prefill : decode).parameters),
        order: fc.constantFrom("independent", "decode_first", "late_decode"),
        without_prefill_worker: fc.constantFrom("decode_only", "reject"),
        load_accounting: fc.record({ leak_on_disconnect: fc.boolean() }),
      }),
    )
    .filter(resolves);
}

function resolves(block: Block): boolean {
  try {
    resolveRouterConfig(block);
    return true;
  } catch (error) {
    if (error instanceof RouterSettingError) return false;
    throw error;
  }
}
