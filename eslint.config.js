import js from "@eslint/js";
import tseslint from "typescript-eslint";

/**
 * The arrows of the house (docs/architecture.md): which rooms a room may not import from.
 * A relative import always names the room's folder, so a pattern on the specifier is enough.
 */
const ABOVE_THE_CORES = [
  "cli",
  "sweep",
  "simulator",
  "proxy",
  "replay",
  "calibrate",
  "report",
  "scenario",
  "mock-engines",
  "serve",
];

/** @param {string} room @param {string[]} forbidden */
function room(room, forbidden) {
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: forbidden.map((name) => ({
            regex: `^(\\.\\./)+${name}/`,
            message: `src/${room} must not import from ${name}/ (see docs/architecture.md, "Arrows").`,
          })),
        },
      ],
    },
  };
}

/** The two cores: no clock, no I/O, no timers, no unseeded randomness. */
const PURE_CORE = {
  files: ["src/routing/**/*.ts", "src/engine/**/*.ts", "src/values/**/*.ts"],
  rules: {
    "no-restricted-globals": [
      "error",
      "performance",
      "setTimeout",
      "setInterval",
      "setImmediate",
      "queueMicrotask",
      "fetch",
      "process",
      "console",
    ],
    "no-restricted-properties": [
      "error",
      { object: "Math", property: "random", message: "Take an injected Random." },
      { object: "Date", property: "now", message: "Time comes in as an argument." },
    ],
    "no-restricted-syntax": [
      "error",
      { selector: "NewExpression[callee.name='Date']", message: "Time comes in as an argument." },
      { selector: "ImportDeclaration[source.value=/^node:/]", message: "The cores do no I/O." },
      { selector: "AwaitExpression", message: "The cores hold no promise." },
    ],
  },
};

export default tseslint.config(
  { ignores: ["dist/**", "coverage/**", "out/**", "reports/**"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "bin/pdbench.js"] } },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
    },
  },
  {
    files: ["**/*.js"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
  room("values", [...ABOVE_THE_CORES, "routing", "engine", "workload", "measure"]),
  room("routing", [...ABOVE_THE_CORES, "engine", "workload", "measure"]),
  room("engine", [...ABOVE_THE_CORES, "routing", "workload", "measure"]),
  room("workload", [...ABOVE_THE_CORES, "routing", "engine", "measure"]),
  room("measure", [...ABOVE_THE_CORES, "routing", "engine", "workload"]),
  room("simulator", ["cli", "sweep", "proxy", "replay", "calibrate", "report", "mock-engines", "serve"]),
  room("scenario", [
    "cli",
    "sweep",
    "simulator",
    "proxy",
    "replay",
    "calibrate",
    "report",
    "mock-engines",
    "serve",
  ]),
  room("sweep", ["cli", "proxy", "replay", "calibrate", "report", "mock-engines", "serve"]),
  room("report", ["cli", "proxy", "replay", "mock-engines", "serve"]),
  room("serve", ["cli", "proxy", "replay", "mock-engines", "calibrate", "conformance"]),
  // A black box: it knows of no router but what is on the wire.
  room("conformance", [...ABOVE_THE_CORES, "routing", "engine", "workload", "measure"]),
  room("calibrate", ["cli", "proxy", "mock-engines", "sweep", "serve"]),
  PURE_CORE,
  {
    files: ["test/**/*.ts"],
    ignores: ["test/**/*.test.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [
            {
              name: "vitest",
              importNames: ["beforeAll", "beforeEach", "afterEach", "afterAll"],
              message: "Files share modules: a hook here is one of the first file only. Use onTestFinished.",
            },
          ],
        },
      ],
    },
  },
);
