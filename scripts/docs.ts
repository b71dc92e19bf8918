/**
 * `npm run docs`: writes docs/policies.md from the registry of policies, deciders and presets.
 */
import { writeFileSync } from "node:fs";
import { policyPage } from "./docs/policy-page.js";

writeFileSync(new URL("../docs/policies.md", import.meta.url), await policyPage());
