/** A real request that a worker must answer with 2xx to be healthy. */
export interface HealthProbe {
  readonly path: string;
  readonly contentType: string;
  readonly body: string | Buffer;
}

type Body = Readonly<Record<string, unknown>>;

const HELLO: Body = { messages: [{ role: "user", content: "Hello" }], temperature: 0, max_tokens: 3 };
/** One white pixel. */
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC";

/** Route and smallest request of each type of model but `transcription`, which takes a form. */
const REQUESTS: Readonly<Record<string, readonly [path: string, body: Body]>> = {
  chat: ["/v1/chat/completions", HELLO],
  completion: ["/v1/completions", { prompt: "Hello", max_tokens: 3 }],
  embeddings: ["/v1/embeddings", { input: "Hello" }],
  rerank: ["/v1/rerank", { query: "Hello", documents: ["Test"] }],
  score: ["/v1/score", { encoding_format: "float", text_1: "Test", text_2: "Test2" }],
  messages: ["/v1/messages", HELLO],
  vision: [
    "/v1/chat/completions",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Say yes." },
            { type: "image_url", image_url: { url: PIXEL } },
          ],
        },
      ],
      max_tokens: 3,
    },
  ],
};

/** Names of the types, production-stack's (`--static-model-types`). */
export const MODEL_TYPES: readonly string[] = [...Object.keys(REQUESTS), "transcription"];

/** The request that finds out whether `model` answers. @param type One of `MODEL_TYPES`. */
export function healthProbe(model: string, type: string): HealthProbe {
  if (type === "transcription") return transcriptionProbe(model);
  const [path, body] = REQUESTS[type]!;
  return { path, contentType: "application/json", body: JSON.stringify({ model, ...body }) };
}

const SAMPLE_RATE = 16_000;
const BOUNDARY = "pdbench-health-probe";

/** A tenth of a second of silence, 16-bit mono, as a form. */
function transcriptionProbe(model: string): HealthProbe {
  const audio = Buffer.alloc(44 + SAMPLE_RATE / 5);
  audio.write("RIFF", 0);
  audio.writeUInt32LE(audio.length - 8, 4);
  audio.write("WAVEfmt ", 8);
  audio.writeUInt32LE(16, 16);
  audio.writeUInt16LE(1, 20);
  audio.writeUInt16LE(1, 22);
  audio.writeUInt32LE(SAMPLE_RATE, 24);
  audio.writeUInt32LE(SAMPLE_RATE * 2, 28);
  audio.writeUInt16LE(2, 32);
  audio.writeUInt16LE(16, 34);
  audio.write("data", 36);
  audio.writeUInt32LE(audio.length - 44, 40);
  const part = (name: string, rest: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${part("model", "")}${model}\r\n`),
    Buffer.from(part("file", '; filename="empty.wav"\r\nContent-Type: audio/wav')),
    audio,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
  return {
    path: "/v1/audio/transcriptions",
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body,
  };
}
