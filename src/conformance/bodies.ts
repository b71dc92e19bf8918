import type { Exchange } from "./exchange.js";

/** JSON text of a completion whose prompt names its exchange; `members` is JSON text put behind the prompt. */
export function completionBody(exchange: Exchange, model: string, members = '"max_tokens":4'): string {
  return `{"model":"${model}","prompt":"${promptOf(exchange)}"${members === "" ? "" : `,${members}`}}`;
}

/** The same for chat. */
export function chatBody(exchange: Exchange, model: string, members = '"max_tokens":4'): string {
  return (
    `{"model":"${model}","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"${promptOf(exchange)}"}]` +
    `${members === "" ? "" : `,${members}`}}`
  );
}

/** The same for token ids in, token ids out. @param sampling JSON text of the sampling parameters, or "" */
export function generateBody(exchange: Exchange, model: string, sampling: string): string {
  const ids = `151644,8948,198,${exchange.markerId},2610`;
  return `{"model":"${model}","token_ids":[${ids}]${sampling === "" ? "" : `,"sampling_params":${sampling}`}}`;
}

/** A prompt that no other exchange has, so that no cache of the router or of an engine knows it. */
function promptOf({ marker, number }: Exchange): string {
  return `${marker} please continue: ${"one two three four five six seven eight ".repeat(4)}${number}`;
}
