import { bloom176bA100Tp8Fp16 } from "./bloom-176b-a100-tp8-fp16.js";
import { bloom176bH100Tp8Fp16 } from "./bloom-176b-h100-tp8-fp16.js";
import { deepseekV3H200Tp8Fp8 } from "./deepseek-v3-h200-tp8-fp8.js";
import { llama270bA100Tp4Fp16 } from "./llama-2-70b-a100-tp4-fp16.js";
import { llama270bA100Tp8Fp16 } from "./llama-2-70b-a100-tp8-fp16.js";
import { llama270bH100Tp4Fp16 } from "./llama-2-70b-h100-tp4-fp16.js";
import { llama270bH100Tp8Fp16 } from "./llama-2-70b-h100-tp8-fp16.js";
import { llama3170bH100Tp2Fp8 } from "./llama-3.1-70b-h100-tp2-fp8.js";
import { llama3170bH100Tp4Bf16 } from "./llama-3.1-70b-h100-tp4-bf16.js";
import { llama3170bH100Tp4Fp8 } from "./llama-3.1-70b-h100-tp4-fp8.js";
import { llama3170bH100Tp8Bf16 } from "./llama-3.1-70b-h100-tp8-bf16.js";
import { llama3170bH100Tp8Fp8 } from "./llama-3.1-70b-h100-tp8-fp8.js";
import { llama3170bH200Tp2Fp8 } from "./llama-3.1-70b-h200-tp2-fp8.js";
import { llama3170bH200Tp4Bf16 } from "./llama-3.1-70b-h200-tp4-bf16.js";
import { llama3170bH200Tp4Fp8 } from "./llama-3.1-70b-h200-tp4-fp8.js";
import { llama3170bH200Tp8Bf16 } from "./llama-3.1-70b-h200-tp8-bf16.js";
import { llama3170bH200Tp8Fp8 } from "./llama-3.1-70b-h200-tp8-fp8.js";
import { llama318bH100Tp1Bf16 } from "./llama-3.1-8b-h100-tp1-bf16.js";
import { llama318bH100Tp1Fp8 } from "./llama-3.1-8b-h100-tp1-fp8.js";
import { llama318bH100Tp2Bf16 } from "./llama-3.1-8b-h100-tp2-bf16.js";
import { llama318bH100Tp2Fp8 } from "./llama-3.1-8b-h100-tp2-fp8.js";
import { llama318bH200Tp1Bf16 } from "./llama-3.1-8b-h200-tp1-bf16.js";
import { llama318bH200Tp1Fp8 } from "./llama-3.1-8b-h200-tp1-fp8.js";
import { llama318bH200Tp2Bf16 } from "./llama-3.1-8b-h200-tp2-bf16.js";
import { llama318bH200Tp2Fp8 } from "./llama-3.1-8b-h200-tp2-fp8.js";
import { llama318bRtx4090Tp1Bf16 } from "./llama-3.1-8b-rtx4090-tp1-bf16.js";
import { llama318bRtxpro6000Tp1Bf16 } from "./llama-3.1-8b-rtxpro6000-tp1-bf16.js";
import { llama318bRtxpro6000Tp2Bf16 } from "./llama-3.1-8b-rtxpro6000-tp2-bf16.js";
import { opt13bA100Tp1Fp16 } from "./opt-13b-a100-tp1-fp16.js";
import { opt13bA100Tp2Fp16 } from "./opt-13b-a100-tp2-fp16.js";
import { opt13bA100Tp4Fp16 } from "./opt-13b-a100-tp4-fp16.js";
import { opt66bA100Tp2Fp16 } from "./opt-66b-a100-tp2-fp16.js";
import { opt66bA100Tp3Fp16 } from "./opt-66b-a100-tp3-fp16.js";
import { opt66bA100Tp4Fp16 } from "./opt-66b-a100-tp4-fp16.js";
import { opt66bA100Tp8Fp16 } from "./opt-66b-a100-tp8-fp16.js";
import { qwen332bH100Tp1Fp8 } from "./qwen3-32b-h100-tp1-fp8.js";
import { qwen332bH100Tp2Bf16 } from "./qwen3-32b-h100-tp2-bf16.js";
import { qwen332bH100Tp2Fp8 } from "./qwen3-32b-h100-tp2-fp8.js";
import { qwen332bH100Tp4Bf16 } from "./qwen3-32b-h100-tp4-bf16.js";
import { qwen332bH100Tp4Fp8 } from "./qwen3-32b-h100-tp4-fp8.js";
import { qwen332bH200Tp1Bf16 } from "./qwen3-32b-h200-tp1-bf16.js";
import { qwen332bH200Tp1Fp8 } from "./qwen3-32b-h200-tp1-fp8.js";
import { qwen332bH200Tp2Bf16 } from "./qwen3-32b-h200-tp2-bf16.js";
import { qwen332bH200Tp2Fp8 } from "./qwen3-32b-h200-tp2-fp8.js";
import { qwen332bH200Tp4Bf16 } from "./qwen3-32b-h200-tp4-bf16.js";
import { qwen332bH200Tp4Fp8 } from "./qwen3-32b-h200-tp4-fp8.js";
import type { EngineProfile } from "../profile.js";

/** The built-in profiles, by name. Made by scripts/fit-profiles.ts. */
export const BUILTIN_PROFILES: readonly EngineProfile[] = [
  bloom176bA100Tp8Fp16,
  bloom176bH100Tp8Fp16,
  deepseekV3H200Tp8Fp8,
  llama270bA100Tp4Fp16,
  llama270bA100Tp8Fp16,
  llama270bH100Tp4Fp16,
  llama270bH100Tp8Fp16,
  llama3170bH100Tp2Fp8,
  llama3170bH100Tp4Bf16,
  llama3170bH100Tp4Fp8,
  llama3170bH100Tp8Bf16,
  llama3170bH100Tp8Fp8,
  llama3170bH200Tp2Fp8,
  llama3170bH200Tp4Bf16,
  llama3170bH200Tp4Fp8,
  llama3170bH200Tp8Bf16,
  llama3170bH200Tp8Fp8,
  llama318bH100Tp1Bf16,
  llama318bH100Tp1Fp8,
  llama318bH100Tp2Bf16,
  llama318bH100Tp2Fp8,
  llama318bH200Tp1Bf16,
  llama318bH200Tp1Fp8,
  llama318bH200Tp2Bf16,
  llama318bH200Tp2Fp8,
  llama318bRtx4090Tp1Bf16,
  llama318bRtxpro6000Tp1Bf16,
  llama318bRtxpro6000Tp2Bf16,
  opt13bA100Tp1Fp16,
  opt13bA100Tp2Fp16,
  opt13bA100Tp4Fp16,
  opt66bA100Tp2Fp16,
  opt66bA100Tp3Fp16,
  opt66bA100Tp4Fp16,
  opt66bA100Tp8Fp16,
  qwen332bH100Tp1Fp8,
  qwen332bH100Tp2Bf16,
  qwen332bH100Tp2Fp8,
  qwen332bH100Tp4Bf16,
  qwen332bH100Tp4Fp8,
  qwen332bH200Tp1Bf16,
  qwen332bH200Tp1Fp8,
  qwen332bH200Tp2Bf16,
  qwen332bH200Tp2Fp8,
  qwen332bH200Tp4Bf16,
  qwen332bH200Tp4Fp8,
];
