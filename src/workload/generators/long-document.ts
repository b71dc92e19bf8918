import { exponential } from "../distributions.js";
import { Text } from "./generated-trace.js";
import { defineGenerator } from "./generator.js";
import { number } from "./parameters.js";
import { PendingTurns } from "./pending-turns.js";
import { cvOf, meanTokens, seconds, tokens, tokenSampler } from "./token-counts.js";

/**
 * Users who open a long document and ask several questions about it: every prompt is the document and one
 * question, without the answers before.
 */
export const longDocument = defineGenerator({
  name: "long_document",
  summary: "Sessions about a long document: every prompt is the document and a question.",
  source: "as vLLM's long-document QA benchmark",
  parameters: {
    questions_mean: number(4, { min: 1, max: 1000 }, "Mean questions about a document (geometric)."),
    think_mean_s: seconds(30, "Mean think time before the next question (exponential)."),
    document_tokens_mean: meanTokens(16_384, "the length of a document"),
    document_tokens_cv: cvOf(0.6, "the length of a document"),
    question_tokens_mean: meanTokens(64, "the length of a question"),
    question_tokens_cv: cvOf(0.8, "the length of a question"),
    output_tokens_mean: meanTokens(300, "the tokens of an answer"),
    output_tokens_cv: cvOf(0.8, "the tokens of an answer"),
    max_output_tokens: tokens(4096, "Longest answer."),
    max_input_tokens: tokens(120_000, "Longest prompt; documents and questions are cut to it.", 2),
  },
  open(values, { ratePerS, random }) {
    const sessionGap = exponential(random("arrivals"), (1000 * values.questions_mean) / ratePerS);
    const think = exponential(random("think"), values.think_mean_s * 1000);
    const ends = random("turns");
    const { max_input_tokens: maxInput, max_output_tokens: maxOutput } = values;
    const documentTokens = tokenSampler(
      random("prefix"),
      values.document_tokens_mean,
      values.document_tokens_cv,
    );
    const questionTokens = tokenSampler(
      random("input"),
      values.question_tokens_mean,
      values.question_tokens_cv,
    );
    const outputTokens = tokenSampler(random("output"), values.output_tokens_mean, values.output_tokens_cv);
    const questions = new PendingTurns(sessionGap);
    return {
      nextMs: () => questions.nextMs(),
      awaits: (session) => questions.awaits(session),
      emit(trace) {
        const turn = questions.take(() => ({
          session: trace.newSession(),
          text: new Text().grow(Math.min(documentTokens(), maxInput - 1), trace),
        }));
        const { arrivalMs, session, text: document, thinkMs } = turn;
        const inputTokens = Math.min(maxInput, document.tokens + questionTokens());
        const output = Math.min(outputTokens(), maxOutput);
        const text = new Text(document).grow(inputTokens - document.tokens + output, trace);
        trace.add({ arrivalMs, inputTokens, outputTokens: output, session, thinkMs }, text);
        if (ends.nextFloat() >= 1 / values.questions_mean) questions.addNext(turn, output, think());
      },
    };
  },
});
