import type { Tokenizer } from "./tokenizer/tokenizer.js";

/** The output of one choice, decided before the engine generates it: the mock has no model to ask. */
export interface OutputPlan {
  readonly ids: Int32Array;
  /** What token `i` adds to the text; shorter than the token where a stop string cuts it. */
  readonly text: (i: number) => string;
  readonly finishReason: "stop" | "length";
  /** The stop string or stop token that ended it, as vLLM reports it. */
  readonly stopReason: string | number | null;
}

/** How long an output is and where it must stop. */
export interface OutputLimits {
  readonly tokens: number;
  /** How it ends when it reaches `tokens`. */
  readonly finishReason: "stop" | "length";
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly includeStop: boolean;
  /** Stops do not count before this many tokens. */
  readonly minTokens: number;
}

const WORDS =
  "the of and to in is was for that it as on with by at from are this an be or not but his her they which one " +
  "all we when there can more if no out so said what up its about into than them only other time new some could " +
  "these two may then do first any my now such like our over man me even most made after also did many before " +
  "must through back years where much your way well down should work world still own see men here each long " +
  "under might state same right house last while never part water small both place day great few against point " +
  "light table river green field paper story music night stone clear quiet north south early later among along";

/** Writes outputs from a list of common words, each one token with the space before it. */
export class OutputPlanner {
  private readonly tokenizer: Tokenizer;
  private readonly words: readonly { readonly id: number; readonly text: string }[];

  /** Words that are not one token of the tokenizer are left out. */
  constructor(tokenizer: Tokenizer) {
    this.tokenizer = tokenizer;
    this.words = WORDS.split(" ").flatMap((word) => {
      const ids = tokenizer.encode(` ${word}`, false);
      return ids.length === 1 ? [{ id: ids[0]!, text: ` ${word}` }] : [];
    });
  }

  /** The output for a seed; the same seed gives the same words, a longer output begins with the shorter one. */
  plan(seed: number, limits: OutputLimits): OutputPlan {
    const chosen = new Int32Array(limits.tokens);
    let state = scramble(seed);
    for (let i = 0; i < chosen.length; i++) {
      state = xorshift(state);
      chosen[i] = this.words.length > 0 ? (state >>> 0) % this.words.length : 0;
    }
    const ids = chosen.map((word) => this.words[word]?.id ?? 0);
    const text = (i: number): string => this.words[chosen[i]!]?.text ?? this.tokenizer.tokenText(0);
    const whole: OutputPlan = { ids, text, finishReason: limits.finishReason, stopReason: null };
    return limits.stop.length + limits.stopTokenIds.length === 0 ? whole : cutAtStop(whole, limits);
  }
}

/** Ends an output at the first stop token or stop string, as vLLM's detokenizer does. */
function cutAtStop(plan: OutputPlan, limits: OutputLimits): OutputPlan {
  let before = "";
  for (let i = 0; i < plan.ids.length; i++) {
    const after = before + plan.text(i);
    if (i + 1 >= limits.minTokens) {
      if (limits.stopTokenIds.includes(plan.ids[i]!)) {
        return { ...plan, ids: plan.ids.slice(0, i + 1), finishReason: "stop", stopReason: plan.ids[i]! };
      }
      const found = firstStop(after, limits.stop, before.length);
      if (found !== null) return cutText(plan, i, found, limits.includeStop);
    }
    before = after;
  }
  return plan;
}

interface Found {
  readonly stop: string;
  readonly start: number;
}

/** The stop string that ends in the text's new part, beyond `seen`, and starts first. */
function firstStop(text: string, stops: readonly string[], seen: number): Found | null {
  let first: Found | null = null;
  for (const stop of stops) {
    const start = text.indexOf(stop, Math.max(0, seen - stop.length + 1));
    if (start >= 0 && (first === null || start < first.start)) first = { stop, start };
  }
  return first;
}

/** Text up to the stop string; tokens of it that were told before the stop was complete keep what they said. */
function cutText(plan: OutputPlan, last: number, { stop, start }: Found, includeStop: boolean): OutputPlan {
  const end = includeStop ? start + stop.length : start;
  const texts: string[] = [];
  let length = 0;
  for (let i = 0; i <= last; i++) {
    const text = plan.text(i);
    texts.push(text.slice(0, Math.max(0, end - length)));
    length += text.length;
  }
  return {
    ids: plan.ids.slice(0, last + 1),
    text: (i) => texts[i]!,
    finishReason: "stop",
    stopReason: stop,
  };
}

/** Spreads neighbouring seeds; never 0, on which xorshift would stay. */
function scramble(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) || 1;
}

function xorshift(state: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  return state ^ (state << 5);
}
