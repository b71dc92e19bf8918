import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { ApiError, validationError } from "./api-error.js";
import { flag, list, missing, type Body } from "./body-fields.js";

/**
 * The prompt of a chat in the ChatML form, whatever the model: `<|im_start|>ROLE\nCONTENT<|im_end|>\n` for every
 * message, then `<|im_start|>assistant\n`. Tools come first, as JSON in a system message.
 *
 * @throws ApiError when messages are missing or malformed, or have parts that are not text
 */
export function chatPrompt(body: Body, tokenizer: Tokenizer): number[] {
  const messages = list(body, "messages");
  if (messages === null) throw missing("messages");
  if (messages.length === 0) throw new ApiError(400, "messages must not be empty.", "messages");
  const ids: number[] = [];
  const tools = list(body, "tools");
  if (tools !== null && tools.length > 0) appendTurn("system", JSON.stringify(tools), tokenizer, ids);
  for (const [i, message] of messages.entries()) {
    const { role, content } = readMessage(message, `messages.${i}`);
    appendTurn(role, content, tokenizer, ids);
  }
  if (flag(body, "add_generation_prompt", true)) {
    appendMark("start", tokenizer, ids);
    append("assistant\n", tokenizer, ids);
  }
  return ids;
}

function readMessage(message: unknown, field: string): { role: string; content: string } {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw validationError("dict_type", field, "Input should be a valid dictionary", message);
  }
  const { role, content, tool_calls: calls } = message as Body;
  if (role === undefined) throw missing(`${field}.role`);
  if (typeof role !== "string") {
    throw validationError("string_type", `${field}.role`, "Input should be a valid string", role);
  }
  const text = contentText(content, `${field}.content`);
  return { role, content: Array.isArray(calls) ? `${text}${JSON.stringify(calls)}` : text };
}

function contentText(content: unknown, field: string): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    throw validationError("string_type", field, "Input should be a valid string", content);
  }
  return content.map((part, i) => partText(part, `${field}.${i}`)).join("\n");
}

function partText(part: unknown, field: string): string {
  if (typeof part === "string") return part;
  const { type, text } = (typeof part === "object" && part !== null ? part : {}) as Body;
  if (type === "image_url" || type === "input_audio" || type === "video_url") {
    const modality = type.split("_")[0] === "input" ? "audio" : type.split("_")[0]!;
    throw new ApiError(400, `At most 0 ${modality}(s) may be provided in one prompt.`, field);
  }
  if (typeof text !== "string") {
    throw validationError("string_type", `${field}.text`, "Input should be a valid string", text);
  }
  return text;
}

function appendTurn(role: string, content: string, tokenizer: Tokenizer, ids: number[]): void {
  appendMark("start", tokenizer, ids);
  append(`${role}\n`, tokenizer, ids);
  append(content, tokenizer, ids);
  appendMark("end", tokenizer, ids);
  append("\n", tokenizer, ids);
}

function appendMark(mark: "start" | "end", tokenizer: Tokenizer, ids: number[]): void {
  if (tokenizer.chatMarks !== null) ids.push(tokenizer.chatMarks[mark]);
  else append(mark === "start" ? "<|im_start|>" : "<|im_end|>", tokenizer, ids);
}

function append(text: string, tokenizer: Tokenizer, ids: number[]): void {
  for (const id of tokenizer.encode(text, false)) ids.push(id);
}
