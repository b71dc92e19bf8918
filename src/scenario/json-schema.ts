import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { LOAD_ACCOUNTING } from "../routing/load-accounting.js";
import type { ParameterSpec } from "../routing/parameters.js";
import { DECIDERS, POLICIES, PRESETS } from "../routing/registry.js";
import { ROUTER_PARAMETERS } from "../routing/router-parameters.js";
import { COMMON_PARAMETERS } from "../workload/generate-workload.js";
import { GENERATORS } from "../workload/generators/generators.js";
import { SHORT_NAMES } from "./overrides.js";
import { scenarioSchema } from "./schema.js";

/** A node of a JSON Schema (draft 2020-12). */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** Any number of settings have these; the schema has them once, in `$defs`. */
const AXIS: SchemaNode = { anyOf: [{ type: "array" }, { type: ["number", "string", "boolean"] }] };

/** The JSON Schema of a scenario file, for editors: shipped as `scenarios/scenario.schema.json`. */
export function scenarioJsonSchema(): SchemaNode {
  const root = z.toJSONSchema(scenarioSchema, { io: "input" }) as SchemaNode;
  const properties = { ...root.properties! };
  const workload = properties["workload"]!;
  properties["workload"] = {
    ...workload,
    properties: { ...workload.properties, generate: generateNode(workload.properties!["generate"]!) },
  };
  properties["router"] = { ...routerNode(), description: properties["router"]!.description! };
  properties["sweep"] = { ...sweepNode(properties), description: properties["sweep"]!.description! };
  const $defs = {
    axis: AXIS,
    policy: block(policyNodes(), "Parameters of a policy."),
    decider: block(deciderNodes(), "Parameters of a decider."),
  };
  return { ...root, properties, $defs };
}

function policyNodes(): Record<string, SchemaNode> {
  return parameterNodes(POLICIES.flatMap(({ parameters }) => parameters));
}

function deciderNodes(): Record<string, SchemaNode> {
  return parameterNodes(DECIDERS.flatMap(({ parameters }) => parameters));
}

/** The same fields by reference to a block of `$defs`. */
function references(name: string, nodes: Record<string, SchemaNode>): Record<string, SchemaNode> {
  const to = (field: string): SchemaNode => ({ $ref: `#/$defs/${name}/properties/${field}` });
  return Object.fromEntries(Object.keys(nodes).map((field) => [field, to(field)]));
}

/** A parameter of a policy, a decider or a generator. */
type Parameter = Omit<ParameterSpec, "nullable" | "type" | "values"> & {
  readonly type: string;
  readonly nullable?: boolean;
  readonly values?: readonly unknown[];
};

function parameterNode(parameter: Parameter): SchemaNode {
  const { type, nullable, min, exclusiveMin, max, values, unit, summary } = parameter;
  const isBounded = min !== undefined && exclusiveMin !== true;
  return {
    description: unit === "" ? summary : `${summary} Unit: ${unit}.`,
    default: parameter.default,
    ...(type !== "enum" && { type: nullable === true ? [type, "null"] : type }),
    ...(values !== undefined && { enum: nullable === true ? [...values, null] : values }),
    ...(isBounded && { minimum: min }),
    ...(min !== undefined && exclusiveMin === true && { exclusiveMinimum: min }),
    ...(max !== undefined && { maximum: max }),
  };
}

/** Fields by name; where parameters of one name differ, a field is any of them. */
function parameterNodes(parameters: readonly Parameter[]): Record<string, SchemaNode> {
  const variants = new Map<string, SchemaNode[]>();
  for (const parameter of parameters) {
    const node = parameterNode(parameter);
    const known = variants.get(parameter.name) ?? [];
    if (!known.some((other) => isDeepStrictEqual(other, node))) known.push(node);
    variants.set(parameter.name, known);
  }
  return Object.fromEntries(
    [...variants].map(([name, nodes]) => [name, nodes.length === 1 ? nodes[0]! : { anyOf: nodes }]),
  );
}

function block(properties: Record<string, SchemaNode>, description = ""): SchemaNode {
  return {
    ...(description !== "" && { description }),
    type: "object",
    properties,
    additionalProperties: false,
  };
}

function nameNode(description: string, known: readonly { readonly name: string }[]): SchemaNode {
  return { description, type: "string", enum: known.map(({ name }) => name) };
}

function routerNode(): SchemaNode {
  const ofPolicies = references("policy", policyNodes());
  const ofDeciders = references("decider", deciderNodes());
  const kind = nameNode("What decides whether to disaggregate.", DECIDERS);
  return block({
    preset: {
      description: "A public router's settings, which the others win over.",
      enum: [...PRESETS.map(({ name }) => name), null],
    },
    decider: { anyOf: [block({ kind, ...ofDeciders }), kind] },
    policy: nameNode("Policy of both legs.", POLICIES),
    prefill_policy: nameNode("Policy of the prefill leg.", POLICIES),
    decode_policy: nameNode("Policy of the decode leg.", POLICIES),
    prefill: block(ofPolicies, "Parameters of the prefill leg's policy."),
    decode: block(ofPolicies, "Parameters of the decode leg's policy."),
    ...parameterNodes(ROUTER_PARAMETERS),
    load_accounting: block(parameterNodes(LOAD_ACCOUNTING), "How the router counts load."),
    ...ofDeciders,
    ...ofPolicies,
  });
}

function generateNode({ description }: SchemaNode): SchemaNode {
  const kinds = GENERATORS.map(({ name, summary, parameters }) => ({
    ...block({ kind: { const: name }, ...parameterNodes([...COMMON_PARAMETERS, ...parameters]) }, summary),
    required: ["kind"],
  }));
  return { description: description!, default: null, anyOf: [...kinds, { type: "null" }] };
}

/** Axes by short name or dotted path: a list, a range, or one value. */
function sweepNode(properties: Readonly<Record<string, SchemaNode>>): SchemaNode {
  const seeds: SchemaNode = {
    description: "How many seeds per point, from `seed` on, or a list of them.",
    anyOf: [
      { type: "integer", minimum: 1 },
      { type: "array", items: { type: "integer", minimum: 0 } },
    ],
  };
  const paths = settingPathsOf({ properties: { ...properties, sweep: {} } });
  const names = [...Object.keys(SHORT_NAMES), ...paths].filter(
    (name) => !/^(seed|sweep|name)$|\*$/.test(name),
  );
  return block({ ...Object.fromEntries(names.map((name) => [name, { $ref: "#/$defs/axis" }])), seeds });
}

/** Dotted paths of every single setting below a node. Blocks with free names end in `.*`. */
export function settingPathsOf(root: SchemaNode): string[] {
  const paths: string[] = [];
  const collect = (node: SchemaNode, prefix: string): void => {
    const kinds = node.anyOf?.filter(({ properties }) => properties !== undefined) ?? [];
    const properties = node.properties ?? (kinds.length === 1 ? kinds[0]!.properties : undefined);
    if (kinds.length > 1) paths.push(`${prefix.slice(1)}.*`);
    else if (properties === undefined) paths.push(prefix.slice(1));
    for (const [name, field] of Object.entries(properties ?? {})) collect(field, `${prefix}.${name}`);
  };
  collect(root, "");
  return paths;
}
