import type { LegOutcome } from "../routing/types.js";

/** Errors that the proxy itself answers with, in OpenAI's form, which vLLM and the OpenAI clients share. */
export interface ProxyError {
  readonly status: number;
  /** e.g. `BadRequestError`, as vLLM names them. */
  readonly type: string;
  readonly message: string;
}

export function badRequest(message: string): ProxyError {
  return { status: 400, type: "BadRequestError", message };
}

/** A route that is not served here. */
export function notFound(path: string): ProxyError {
  return { status: 404, type: "NotFoundError", message: `${path} is not served on this port` };
}

export function payloadTooLarge(limitBytes: number): ProxyError {
  return {
    status: 413,
    type: "PayloadTooLargeError",
    message: `the request body is larger than ${limitBytes} bytes (--max-payload-size)`,
  };
}

/** The queue before the workers has no room. */
export function tooManyRequests(): ProxyError {
  return {
    status: 429,
    type: "TooManyRequestsError",
    message: "too many requests are open and waiting (--max-concurrent-requests, --queue-size)",
  };
}

/** The client's part, or the wait for a place, has taken too long. */
export function requestTimeout(message: string): ProxyError {
  return { status: 408, type: "RequestTimeoutError", message };
}

/** The workers' part has taken too long. */
export function gatewayTimeout(message: string): ProxyError {
  return { status: 504, type: "GatewayTimeoutError", message };
}

export function noWorker(branch: string): ProxyError {
  return { status: 503, type: "ServiceUnavailableError", message: `no worker takes the request (${branch})` };
}

/** A worker was removed, and the time that it had for what was open on it is over. */
export function removedWorker(leg: string): ProxyError {
  const message = `the ${leg} worker was removed while it answered (--worker-drain-timeout-secs)`;
  return { status: 503, type: "ServiceUnavailableError", message };
}

/** A worker could not be reached, or broke off. Its address stays in the log. */
export function badGateway(leg: string, reason: string): ProxyError {
  return { status: 502, type: "BadGatewayError", message: `the ${leg} worker failed: ${reason}` };
}

/** A defect of the proxy. */
export function internalError(): ProxyError {
  return { status: 500, type: "InternalServerError", message: "the proxy failed; its log says more" };
}

export function errorDocument({ status, type, message }: ProxyError): string {
  return JSON.stringify({ error: { message, type, param: null, code: status } });
}

/** The event that ends a stream which broke after its first byte; no `[DONE]` follows. */
export function errorEvent(error: ProxyError): string {
  return `data: ${errorDocument(error)}\n\n`;
}

/** Code of a connection error; its message would tell clients the address of a worker. */
export function errorCode(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}

/** What a leg that was answered with `status` has come to; 408, 429 and 5xx are worth another try. */
export function outcomeOf(status: number): LegOutcome {
  if (status < 400) return "completed";
  return status === 408 || status === 429 || status >= 500 ? "retryable" : "failed";
}
