import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { Choice } from "./generation-api.js";

/**
 * Log probabilities of a model that does not exist: made up from the token ids, so that they are the same every
 * time, below zero, and the chosen token is the likeliest.
 */
export interface TokenLogprob {
  readonly id: number;
  readonly token: string;
  readonly logprob: number;
}

/** Token `token` of a choice, and `alternatives` candidates of which it is the first. */
export function tokenLogprobs(
  choice: Choice,
  token: number,
  alternatives: number,
  tokenizer: Tokenizer,
): { readonly chosen: TokenLogprob; readonly top: readonly TokenLogprob[] } {
  const { ids } = choice.plan;
  const at = (i: number, rank: number): TokenLogprob => {
    const id = ids[i % ids.length]!;
    return { id, token: tokenizer.tokenText(id), logprob: -((id % 97) / 400 + rank) - 0.01 };
  };
  const top: TokenLogprob[] = [];
  for (let i = token; top.length < alternatives && i < token + ids.length; i++) {
    const candidate = at(i, top.length);
    if (!top.some(({ id }) => id === candidate.id)) top.push(candidate);
  }
  return { chosen: at(token, 0), top };
}

/** `logprobs` of `/v1/completions` for the tokens that are out, from number `from` on. */
export function completionLogprobs(
  choice: Choice,
  from: number,
  alternatives: number,
  tokenizer: Tokenizer,
): object {
  const offsets: number[] = [];
  const chosen: TokenLogprob[] = [];
  const tops: Readonly<Record<string, number>>[] = [];
  let offset = 0;
  for (let i = 0; i < choice.emitted; i++) {
    if (i >= from) {
      const logprobs = tokenLogprobs(choice, i, alternatives, tokenizer);
      offsets.push(offset);
      chosen.push(logprobs.chosen);
      tops.push(Object.fromEntries(logprobs.top.map(({ token, logprob }) => [token, logprob])));
    }
    offset += choice.plan.text(i).length;
  }
  return {
    text_offset: offsets,
    token_logprobs: chosen.map(({ logprob }) => logprob),
    tokens: chosen.map(({ token }) => token),
    top_logprobs: tops,
  };
}

/** `logprobs` of `/v1/chat/completions`, likewise. */
export function chatLogprobs(
  choice: Choice,
  from: number,
  alternatives: number,
  tokenizer: Tokenizer,
): object {
  const content: object[] = [];
  for (let i = from; i < choice.emitted; i++) {
    const { chosen, top } = tokenLogprobs(choice, i, alternatives, tokenizer);
    content.push({ ...withBytes(chosen), top_logprobs: top.map(withBytes) });
  }
  return { content };
}

/** `logprobs` of `/inference/v1/generate`, which names tokens by id. */
export function tokenIdLogprobs(
  choice: Choice,
  from: number,
  alternatives: number,
  tokenizer: Tokenizer,
): object {
  const content: object[] = [];
  const named = ({ id, logprob }: TokenLogprob): object => ({
    token: `token_id:${id}`,
    logprob,
    bytes: null,
  });
  for (let i = from; i < choice.emitted; i++) {
    const { chosen, top } = tokenLogprobs(choice, i, alternatives, tokenizer);
    content.push({ ...named(chosen), top_logprobs: top.map(named) });
  }
  return { content };
}

function withBytes({ token, logprob }: TokenLogprob): object {
  return { token, logprob, bytes: [...Buffer.from(token)] };
}
