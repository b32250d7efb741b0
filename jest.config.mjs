/** One project a kind of test; `test/README.md` says what each is, and which run inside a guest. */
const project = (displayName, extra = {}) => ({
  displayName,
  roots: ["<rootDir>/src", "<rootDir>/test"],
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": "<rootDir>/test/strip-types.mjs" },
  ...extra,
});

export default {
  reporters: ["default", "<rootDir>/test/harness/jest-reporter.ts"],
  projects: [
    project("unit"),
    project("exhaustive"),
    project("contract"),
    project("lab"),
    project("chart"),
    project("kernel", { globalSetup: "<rootDir>/test/harness/bundle.ts", setupFilesAfterEnv: ["<rootDir>/test/kernel/free-machine.ts"] }),
    project("crash"),
    project("power-cut"),
    project("reboot"),
  ],
};
