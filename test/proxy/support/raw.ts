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
