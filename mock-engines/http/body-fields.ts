import { ApiError, validationError } from "./api-error.js";

/** A JSON object as it came in. */
export type Body = Readonly<Record<string, unknown>>;

/**
 * Reads fields of a body the way pydantic reads them in its lax mode: `null` is as good as absent, and numbers
 * may come as text (`"16"`). Everything else is an error that names the field.
 */

/** @throws ApiError when it is not a JSON object */
export function parseBody(text: string): Body {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw validationError("json_invalid", "", "JSON decode error");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw validationError("model_attributes_type", "", "Input should be a valid dictionary", body);
  }
  return body as Body;
}

export function integer(body: Body, field: string): number | null;
export function integer(body: Body, field: string, fallback: number): number;
export function integer(body: Body, field: string, fallback: number | null = null): number | null {
  const value = body[field] ?? null;
  if (value === null) return fallback;
  const number = numberOf(value);
  if (number === null) {
    throw validationError("int_parsing", field, "Input should be a valid integer", value);
  }
  if (!Number.isInteger(number)) {
    const problem = "Input should be a valid integer, got a number with a fractional part";
    throw validationError("int_from_float", field, problem, value);
  }
  return number;
}

export function float(body: Body, field: string): number | null;
export function float(body: Body, field: string, fallback: number): number;
export function float(body: Body, field: string, fallback: number | null = null): number | null {
  const value = body[field] ?? null;
  if (value === null) return fallback;
  const number = numberOf(value);
  if (number === null) throw validationError("float_parsing", field, "Input should be a valid number", value);
  return number;
}

const TRUE = ["true", "1", "yes", "on", "t", "y"];
const FALSE = ["false", "0", "no", "off", "f", "n"];

export function flag(body: Body, field: string, fallback = false): boolean {
  const value = body[field] ?? null;
  if (value === null) return fallback;
  if (typeof value === "boolean") return value;
  if (typeof value === "string" || typeof value === "number") {
    const word = String(value).toLowerCase();
    if (TRUE.includes(word)) return true;
    if (FALSE.includes(word)) return false;
  }
  throw validationError("bool_parsing", field, "Input should be a valid boolean", value);
}

export function text(body: Body, field: string): string | null {
  const value = body[field] ?? null;
  if (value === null || typeof value === "string") return value;
  throw validationError("string_type", field, "Input should be a valid string", value);
}

export function object(body: Body, field: string): Body | null {
  const value = body[field] ?? null;
  if (value === null) return null;
  if (typeof value === "object" && !Array.isArray(value)) return value as Body;
  throw validationError("dict_type", field, "Input should be a valid dictionary", value);
}

export function list(body: Body, field: string): readonly unknown[] | null {
  const value = body[field] ?? null;
  if (value === null) return null;
  if (Array.isArray(value)) return value as unknown[];
  throw validationError("list_type", field, "Input should be a valid list", value);
}

/** A text or a list of texts. */
export function texts(body: Body, field: string): readonly string[] {
  const value = body[field] ?? null;
  if (value === null) return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw validationError("string_type", field, "Input should be a valid string or list of strings", value);
}

/** A list of token ids. */
export function tokenIds(value: unknown, field: string): readonly number[] {
  if (!Array.isArray(value)) throw validationError("list_type", field, "Input should be a valid list", value);
  const wrong = value.findIndex((id) => !Number.isInteger(id));
  if (wrong >= 0) {
    throw validationError("int_type", `${field}.${wrong}`, "Input should be a valid integer", value[wrong]);
  }
  const negative = value.findIndex((id) => (id as number) < 0);
  if (negative >= 0) {
    const problem = "Input should be greater than or equal to 0";
    throw validationError("greater_than_equal", `${field}.${negative}`, problem, value[negative]);
  }
  return value as number[];
}

export function missing(field: string): ApiError {
  return validationError("missing", field, "Field required");
}

function numberOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}
