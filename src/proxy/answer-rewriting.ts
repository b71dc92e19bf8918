import type { Rewriting } from "./client-reply.js";
import type { FirstToken } from "./dialects/dialect.js";
import { countFirstTokenInEvents, firstTokenEvent, prependFirstToken } from "./first-token.js";
import type { CachedTokens } from "./usage.js";

/** What is done to the answer of the decode worker of a disaggregated request. */
export function answerRewriting(cachedTokens: CachedTokens, firstToken: FirstToken | null): Rewriting {
  if (firstToken === null) {
    return {
      head: null,
      events: (events) => cachedTokens.inEvents(events),
      document: (document) => cachedTokens.inDocument(document),
    };
  }
  return {
    head: firstTokenEvent(firstToken),
    events: (events) => countFirstTokenInEvents(cachedTokens.inEvents(events)),
    document: (document) => prependFirstToken(cachedTokens.inDocument(document), firstToken),
  };
}
