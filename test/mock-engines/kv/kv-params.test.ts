import { describe, expect, it } from "vitest";
import { readKvIntent } from "../../../mock-engines/kv/kv-params.js";

const handle = {
  do_remote_prefill: true,
  do_remote_decode: false,
  remote_engine_id: "P",
  remote_request_id: "r",
  remote_block_ids: [1, 2],
  remote_host: "h",
  remote_port: 5,
};

describe("kv_transfer_params", () => {
  it.each([
    ["nothing", null, { kind: "local" }],
    ["neither flag", { do_remote_decode: false, do_remote_prefill: false }, { kind: "local" }],
    ["the prefill leg", { do_remote_decode: true, do_remote_prefill: false }, { kind: "hold" }],
    [
      "the decode leg",
      handle,
      { kind: "pull", handle: { engineId: "P", requestId: "r", blockIds: [1, 2], host: "h", port: 5 } },
    ],
    [
      "block ids in groups, as newer releases have them",
      { ...handle, remote_block_ids: [[1, 2]] },
      { kind: "pull", handle: { engineId: "P", requestId: "r", blockIds: [1, 2], host: "h", port: 5 } },
    ],
    ["a decode leg without a host", { ...handle, remote_host: null }, { kind: "pull", handle: null }],
    ["a decode leg with the port as text", { ...handle, remote_port: "5" }, { kind: "pull", handle: null }],
    ["a decode leg without blocks", { ...handle, remote_block_ids: [] }, { kind: "pull", handle: null }],
    [
      "LMCache",
      { ret_first_tok: true, disagg_spec: { req_id: "r", receiver_host: "h", receiver_init_port: [7, 8] } },
      { kind: "push", target: { requestId: "r", host: "h", port: 7 }, returnFirstToken: true },
    ],
  ])("%s", (_what, params, intent) => {
    expect(readKvIntent(params)).toEqual(intent);
  });
});
