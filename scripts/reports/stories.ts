import { decodeLoadAtHeaders } from "./decode-load-at-headers.js";
import { generate32x8 } from "./generate-32x8.js";
import { mooncakeFigure10, mooncakeFigure15 } from "./mooncake-figures.js";
import { poolShapes } from "./pool-shapes.js";
import { prefillLegOutput } from "./prefill-leg-output.js";
import { presetLeague } from "./preset-league.js";
import { routingThreshold70b } from "./routing-threshold-70b.js";
import { sessionIdLost } from "./session-id-lost.js";
import type { Story } from "./story.js";

/** Every reference report. */
export const STORIES: readonly Story[] = [
  decodeLoadAtHeaders,
  generate32x8,
  poolShapes,
  prefillLegOutput,
  routingThreshold70b,
  sessionIdLost,
  presetLeague,
  mooncakeFigure10,
  mooncakeFigure15,
];
