import { InputError } from "../../src/errors.js";
import { sendJson } from "../generation.js";
import type { MockEngine } from "../mock-engine.js";
import { ApiError } from "./api-error.js";
import { jsonBody, type HttpCall, type Routes } from "./http-server.js";

/** What vLLM has not: knobs, state and crashes of the mock, below `/admin`. */
export function adminRoutes(engine: MockEngine): Routes {
  return {
    "GET /admin/config": ({ response }) => sendJson(response, 200, JSON.stringify(engine.knobs)),
    "POST /admin/config": (call) => {
      try {
        engine.changeKnobs(jsonBody(call), "/admin/config");
      } catch (error) {
        if (error instanceof InputError) throw new ApiError(400, error.message);
        throw error;
      }
      sendJson(call.response, 200, JSON.stringify(engine.knobs));
    },
    "GET /admin/state": ({ response }) => sendJson(response, 200, JSON.stringify(snakeCase(engine.state()))),
    "POST /admin/crash": (call) => crash(engine, call),
  };
}

/** Answers, and then goes down; `?restart_after_ms=N` (virtual) brings it up again. */
function crash(engine: MockEngine, { query, response }: HttpCall): void {
  const asked = query.get("restart_after_ms");
  const restartAfterMs = asked === null ? null : Number(asked);
  if (restartAfterMs !== null && !(restartAfterMs >= 0)) {
    throw new ApiError(400, `restart_after_ms: expected a number, 0 or more, got ${asked ?? ""}`);
  }
  response.once("finish", () => void engine.crash(restartAfterMs));
  sendJson(response, 202, JSON.stringify({ crashing: true }));
}

/** Keys in snake_case, at every depth. */
function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(field),
    ]),
  );
}
