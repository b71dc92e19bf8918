import { connect } from "node:net";

/** Sends bytes as they are and resolves with everything that came back, once the server has closed the connection. */
export function rawExchange(url: string, request: string | Buffer): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(typeof request === "string" ? Buffer.from(request, "latin1") : request);
    });
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    // A reset is an end too.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
}

/** Statuses in an answer, in order. */
export function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Turns of the event loop in which a server in this process has answered what it can answer. */
const TURNS = 300;

/** As `rawExchange`, for requests that may be cut off: when no answer comes, the socket is half closed behind them. */
export async function rawEnd(url: string, request: Buffer): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("end", () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(request);
  for (let turn = 0; turn < TURNS && answer === "" && !socket.destroyed; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await closed;
  return answer;
}
