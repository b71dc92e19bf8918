import type { AddressInfo, Server } from "node:net";

/** Starts to listen and resolves with the port, which is a free one where `port` is 0. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** The `index`-th port of a row that begins at `first`; 0 stays "any free one". */
export function portAfter(first: number, index: number): number {
  return first === 0 ? 0 : first + index;
}
