import { spawnSync } from "node:child_process";
import { expect, test } from "@jest/globals";

/** What a program that logs like this writes: in a process of its own, since the log is that process's stderr. */
function logged(format: "json" | "text", statements: string): { readonly output: string; readonly lines: readonly string[] } {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL("../../src/logger.ts", import.meta.url).href)};
    const logger = createLogger({ level: "info", format: "${format}" });
    ${statements}`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "--eval", script], {
    encoding: "utf8",
  });
  return { output: stdout, lines: stderr.split("\n").slice(0, -1) };
}

const STATEMENTS = `
  const inner = new Error("EIO: disk\\n on fire");
  logger.debug("too small a matter");
  logger.info("pool opened", { pool: "fast", sizeBytes: 5, since: new Date(0), big: 10n, nothing: undefined });
  logger.child({ requestId: "r1" }).child({ volume: "vol-a" }).warn("slow", { ms: 1.5 });
  logger.error("failed", { error: new Error("cannot stage", { cause: inner }), argv: ["a", "b c"] });
  logger.info("a reader's trick", { name: "x\\nlevel=error y=\\"1\\"" });
`;

test("JSON: one object a line, on stderr only, errors with their causes", () => {
  const { output, lines } = logged("json", STATEMENTS);
  expect(output).toBe("");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: "info", message: "pool opened", pool: "fast", sizeBytes: 5, since: "1970-01-01T00:00:00.000Z", big: "10", timestamp: expect.any(String) },
    { level: "warn", message: "slow", requestId: "r1", volume: "vol-a", ms: 1.5, timestamp: expect.any(String) },
    { level: "error", message: "failed", error: "cannot stage (because EIO: disk\n on fire)", argv: ["a", "b c"], timestamp: expect.any(String) },
    { level: "info", message: "a reader's trick", name: 'x\nlevel=error y="1"', timestamp: expect.any(String) },
  ]);
});

test("text: one line an entry, and no value can pass for another", () => {
  const { output, lines } = logged("text", STATEMENTS);
  expect(output).toBe("");
  expect(lines.map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ""))).toEqual([
    'info pool opened pool=fast sizeBytes=5 since="1970-01-01T00:00:00.000Z" big="10" nothing=undefined',
    "warn slow requestId=r1 volume=vol-a ms=1.5",
    'error failed error="cannot stage (because EIO: disk\\n on fire)" argv=["a","b c"]',
    'info a reader\'s trick name="x\\nlevel=error y=\\"1\\""',
  ]);
});
