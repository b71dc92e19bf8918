import { createServer, type AddressInfo, type Socket } from "node:net";

/**
 * The least that can stand for an engine: HTTP/1.1 over a bare socket, a stream of 16 events sent one by one for
 * every request, and one JSON document for a prefill leg. With the header `x-pace-ms` the events of a stream come that
 * far apart. Prints its port.
 */

const CHUNKS = 16;

const event = (text: string) =>
  `data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"${text}","finish_reason":null}]}\n\n`;
const framed = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
const STREAM = [
  HEAD,
  ...Array.from({ length: CHUNKS - 1 }, (_, i) => framed(event(` token${i}`))),
  `${framed("data: [DONE]\n\n")}0\r\n\r\n`,
].map((text) => Buffer.from(text));

const REPLY =
  '{"id":"cmpl-1","choices":[{"index":0,"text":" a","finish_reason":"length"}],"usage":{"prompt_tokens":500,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":496}},' +
  '"kv_transfer_params":{"do_remote_prefill":true,"do_remote_decode":false,"remote_engine_id":"e","remote_block_ids":[1,2,3],"remote_host":"127.0.0.1","remote_port":5600}}';
const PREFILL = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${REPLY.length}\r\n\r\n${REPLY}`,
);

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const PREFILL_LEG = Buffer.from('"do_remote_decode":true');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  let pending: Buffer = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    pending = answerAll(socket, pending);
  });
});

/** Answers every whole request in `bytes` and returns what is left. */
function answerAll(socket: Socket, bytes: Buffer): Buffer {
  for (;;) {
    const headEnd = bytes.indexOf(END_OF_HEAD);
    if (headEnd < 0) return bytes;
    const head = bytes.toString("latin1", 0, headEnd);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const paceMs = Number(/x-pace-ms: *(\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + END_OF_HEAD.length + length;
    if (bytes.length < end) return bytes;
    if (bytes.subarray(headEnd, end).includes(PREFILL_LEG)) socket.write(PREFILL);
    else if (paceMs > 0) sendPaced(socket, paceMs);
    else for (const part of STREAM) socket.write(part);
    bytes = bytes.subarray(end);
  }
}

function sendPaced(socket: Socket, paceMs: number): void {
  let part = 0;
  const timer = setInterval(() => {
    socket.write(STREAM[part++]!);
    if (part === STREAM.length) clearInterval(timer);
  }, paceMs);
  socket.once("close", () => clearInterval(timer));
}

server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
