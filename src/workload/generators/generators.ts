import { InputError } from "../../errors.js";
import { didYouMean } from "../../values/nearest-name.js";
import { bestOfN } from "./best-of-n.js";
import type { GeneratorSpec } from "./generator.js";
import { lengths } from "./lengths.js";
import { longDocument } from "./long-document.js";
import { mixedOf } from "./mixed.js";
import { multiTurnChat } from "./multi-turn-chat.js";
import { sharedSystemPrompt } from "./shared-system-prompt.js";

const SIMPLE = [multiTurnChat, sharedSystemPrompt, bestOfN, longDocument, lengths];

/** Every kind of synthetic traffic. */
export const GENERATORS: readonly GeneratorSpec[] = [...SIMPLE, mixedOf(SIMPLE)];

/** @throws InputError naming the nearest generator when there is none of that name. */
export function generator(kind: string): GeneratorSpec {
  const spec = GENERATORS.find(({ name }) => name === kind);
  if (spec !== undefined) return spec;
  const names = GENERATORS.map(({ name }) => name);
  throw new InputError(
    `generator "${kind}" is unknown, expected ${names.join(", ")}${didYouMean(kind, names)}`,
  );
}
