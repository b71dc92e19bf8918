import { STATUS_CODES } from "node:http";

/** Error types of vLLM's OpenAI server by status (vLLM 0.19 `create_error_response`, OpenAI's own names else). */
const TYPES: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  409: "ConflictError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
  500: "InternalServerError",
  501: "NotImplementedError",
  503: "ServiceUnavailableError",
};

/** An answer that is an OpenAI error object. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  /** The field of the request that is wrong, or null. */
  readonly param: string | null;

  constructor(status: number, message: string, param: string | null = null, type?: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.type = type ?? TYPES[status] ?? STATUS_CODES[status] ?? "Error";
    this.param = param;
  }

  /** `{"error": {message, type, param, code}}`, as vLLM sends it in JSON and inside streams. */
  body(): string {
    const { message, type, param, status } = this;
    return JSON.stringify({ error: { message, type, param, code: status } });
  }
}

/**
 * The body does not have the form the route wants: what FastAPI finds, with vLLM's handler around it (status
 * 400 instead of 422, type `Bad Request`).
 *
 * @param field dotted path below `body`; empty = the body itself
 */
export function validationError(kind: string, field: string, problem: string, input?: unknown): ApiError {
  const where = field === "" ? "body" : `body.${field}`;
  const shown = input === undefined ? "" : `, 'input': ${quote(input)}`;
  const message = `1 validation error:\n  {'type': '${kind}', 'loc': '${where}', 'msg': '${problem}'${shown}}`;
  return new ApiError(400, message, field === "" ? null : field, "Bad Request");
}

const SHOWN_CHARACTERS = 200;

/** A value as it is quoted in a message, cut to a readable length. */
function quote(value: unknown): string {
  if (Array.isArray(value)) return `<list of ${value.length} items>`;
  if (typeof value === "object" && value !== null) return `<dict of ${Object.keys(value).length} items>`;
  const text = typeof value === "string" ? `'${value}'` : String(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...[truncated]` : text;
}
