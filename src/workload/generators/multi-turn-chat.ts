import { InputError } from "../../errors.js";
import { exponential } from "../distributions.js";
import { Text } from "./generated-trace.js";
import { defineGenerator } from "./generator.js";
import { integer, number } from "./parameters.js";
import { PendingTurns } from "./pending-turns.js";
import { SharedTexts } from "./shared-texts.js";
import { cvOf, meanTokens, seconds, tokens, tokenSampler } from "./token-counts.js";

/**
 * Conversations whose prompts carry the whole history: system prompt, then every turn's question and answer.
 * Think times are exponential, numbers of turns geometric.
 */
export const multiTurnChat = defineGenerator({
  name: "multi_turn_chat",
  summary: "Conversations: every prompt is the whole history so far plus a new question.",
  source: "as vLLM's multi-turn serving benchmark",
  parameters: {
    turns_mean: number(5, { min: 1, max: 1000, unit: "turns" }, "Mean turns of a conversation (geometric)."),
    think_mean_s: seconds(15, "Mean think time before the next turn (exponential)."),
    system_prompts: integer(1, { min: 1, max: 100_000 }, "Number of different system prompts."),
    system_prompt_tokens: tokens(256, "Length of a system prompt; 0 = none.", 0),
    user_tokens_mean: meanTokens(100, "the tokens a user adds in a turn"),
    user_tokens_cv: cvOf(1, "the tokens a user adds"),
    output_tokens_mean: meanTokens(250, "the tokens of an answer"),
    output_tokens_cv: cvOf(0.8, "the tokens of an answer"),
    max_output_tokens: tokens(4096, "Longest answer."),
    max_input_tokens: tokens(32_768, "A conversation ends before its prompt grows beyond this."),
  },
  open(values, { ratePerS, random }) {
    const {
      system_prompt_tokens: systemTokens,
      max_input_tokens: maxInput,
      max_output_tokens: maxOutput,
    } = values;
    if (systemTokens >= maxInput) {
      throw new InputError(
        `generate.system_prompt_tokens: got ${systemTokens}, expected less than max_input_tokens (${maxInput})`,
      );
    }
    const sessionGap = exponential(random("arrivals"), (1000 * values.turns_mean) / ratePerS);
    const think = exponential(random("think"), values.think_mean_s * 1000);
    const ends = random("turns");
    const choosing = random("system-prompts");
    const userTokens = tokenSampler(random("input"), values.user_tokens_mean, values.user_tokens_cv);
    const outputTokens = tokenSampler(random("output"), values.output_tokens_mean, values.output_tokens_cv);
    const systemPrompts = new SharedTexts(values.system_prompts, () => systemTokens);
    const turns = new PendingTurns(sessionGap);

    return {
      nextMs: () => turns.nextMs(),
      awaits: (session) => turns.awaits(session),
      emit(trace) {
        const turn = turns.take(() => ({
          session: trace.newSession(),
          text: new Text(systemPrompts.pick(choosing.nextInt(values.system_prompts), trace)),
        }));
        const { arrivalMs, session, text, thinkMs } = turn;
        text.grow(Math.min(userTokens(), maxInput - text.tokens), trace);
        const inputTokens = text.tokens;
        const output = Math.min(outputTokens(), maxOutput);
        text.grow(output, trace);
        trace.add({ arrivalMs, inputTokens, outputTokens: output, session, thinkMs }, text);
        const goesOn = ends.nextFloat() >= 1 / values.turns_mean && text.tokens < maxInput;
        if (goesOn) turns.addNext(turn, output, think());
      },
    };
  },
});
