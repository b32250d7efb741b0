import { isError, type ConfigProblem } from "../../../src/errors.ts";
import { parseConfig, type StandaloneConfig } from "../../../src/config/standalone.ts";

export const loopPool = (pool: object = {}, loop: object = {}): object => ({
  name: "fast",
  backing: { loop: { directory: "/var/lib/dmthin/fast", ...loop } },
  ...pool,
});

export const parse = (document: unknown, host = "node1"): StandaloneConfig => parseConfig(document, "test.yaml", host);

export function problemsOf(read: () => unknown): readonly ConfigProblem[] {
  try {
    read();
  } catch (error) {
    if (isError(error, "config-invalid")) return error.facts.problems;
    throw error;
  }
  return [];
}

/** "path: message" of every problem. */
export const complaints = (document: unknown, host?: string): readonly string[] =>
  problemsOf(() => parse(document, host)).map(({ path, message }) => `${path}: ${message}`);
