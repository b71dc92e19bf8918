import { InputError } from "../../errors.js";
import { didYouMean } from "../../values/nearest-name.js";
import { aibrix } from "./aibrix.js";
import { dynamo } from "./dynamo.js";
import type { EmitTarget } from "./emission.js";
import { llmD } from "./llm-d.js";
import { pdbenchProxy } from "./pdbench-proxy.js";
import { productionStack } from "./production-stack.js";
import { vllmRouter } from "./vllm-router.js";

/** Every product that settings can be written for, in the order of the help. */
export const EMIT_TARGETS: readonly EmitTarget[] = [
  vllmRouter,
  productionStack,
  llmD,
  dynamo,
  aibrix,
  pdbenchProxy,
];

/** The product of a name. @throws InputError naming the nearest one */
export function emitTargetNamed(name: string): EmitTarget {
  const names = EMIT_TARGETS.map((target) => target.name);
  const found = EMIT_TARGETS.find((target) => target.name === name);
  if (found !== undefined) return found;
  const hint = didYouMean(name, names) || `, expected one of ${names.join(", ")}`;
  throw new InputError(`--emit ${name}: there is no such product${hint}`);
}
