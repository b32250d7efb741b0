import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCsiServer } from "../../../src/csi/csi-server.ts";
import { isError, type DmthinError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import { FakeVolumes } from "./fake-volumes.ts";
import { MOUNT, PLAIN, recordingLogger, refusal, Served } from "./served.ts";

const serverOn = () => {
  const fake = new FakeVolumes();
  return createCsiServer({ volumes: fake, nodeVolumes: fake, logger: silentLogger, version: "1", options: PLAIN });
};
/** What comes of listening there: "it listens", or the refusal. */
async function listening(endpoint: string): Promise<string> {
  const server = serverOn();
  try {
    await server.listen(endpoint);
    return "it listens";
  } catch (error) {
    return isError(error, "path-unusable") ? (error as DmthinError).message : String(error);
  } finally {
    await server.close(AbortSignal.abort());
  }
}

/** A socket whose process was killed: the kernel leaves the name. */
async function leaveStaleSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, ["-e", `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`]);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("the socket and its folder are for root alone, whatever the umask, unless a mode is given", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dmthin-csi-"));
  const umask = process.umask(0);
  const server = serverOn();
  const other = serverOn();
  try {
    await server.listen(`unix://${folder}/run/csi.sock`);
    await other.listen(`${folder}/run/other.sock`, 0o660);
    const modes = await Promise.all(["run", "run/csi.sock", "run/other.sock"].map(async (name) => (await stat(join(folder, name))).mode & 0o777));
    expect(modes).toEqual([0o700, 0o600, 0o660]);
  } finally {
    process.umask(umask);
    await Promise.all([server, other].map(async (each) => each.close(AbortSignal.abort())));
  }
  await expect(stat(join(folder, "run/csi.sock"))).rejects.toThrow("ENOENT");
  await rm(folder, { recursive: true });
});

test("a killed driver's socket is taken over, a living one's and a plain file never", async () => {
  await using served = await Served.start();
  const stale = served.path("stale.sock");
  await leaveStaleSocket(stale);
  expect(await listening(stale)).toBe("it listens");

  expect(await listening(served.socket)).toBe(`${served.socket} cannot be used: another process answers on it: stop that first`);
  expect(await refusal(served.identity.Probe({}))).toBe("OK");

  await writeFile(served.path("file"), "precious");
  expect(await listening(served.path("file"))).toMatch(/something that is not a socket/);
  expect((await stat(served.path("file"))).size).toBe(8);
});

test("a path that cannot be a socket's is refused in a sentence", async () => {
  expect(await listening("csi.sock")).toBe("csi.sock cannot be used: it is not an absolute path");
  expect(await listening(`/tmp/${"x".repeat(120)}`)).toMatch(/at most 107 bytes/);
});

test("a caller that gives up, or whose time is over, ends the work it asked for", async () => {
  await using served = await Served.start();
  const reasons: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  served.fake.obstacle = async ({ signal }) => {
    await once(signal, "abort");
    reasons.push(signal.reason);
    if (reasons.length === 2) ended.resolve();
    throw signal.reason;
  };
  const request = { name: "data", volumeCapabilities: [MOUNT] };
  expect(await refusal(served.controller.CreateVolume(request, { deadlineMs: 100 }))).toMatch(/^DEADLINE_EXCEEDED/);
  const canceller = new AbortController();
  const asked = served.controller.CreateVolume(request, { signal: canceller.signal });
  setTimeout(() => canceller.abort(), 100);
  expect(await refusal(asked)).toMatch(/^CANCELLED/);
  await ended.promise;
  expect(reasons.map((reason) => (reason as DmthinError).facts.code)).toEqual(["deadline", "cancelled"]);
});

test("a call's deadline reaches the work, and a call without one has none", async () => {
  await using served = await Served.start();
  const deadlines: (number | undefined)[] = [];
  served.fake.obstacle = async ({ deadline }) => void deadlines.push(deadline);
  const request = { name: "data", volumeCapabilities: [MOUNT] };
  const before = Date.now();
  await served.controller.CreateVolume(request, { deadlineMs: 60_000 });
  await served.controller.CreateVolume(request);
  expect(deadlines[0]).toBeGreaterThan(before + 50_000);
  expect(deadlines[0]).toBeLessThan(Date.now() + 61_000);
  expect(deadlines[1]).toBeUndefined();
});

test("a shutdown waits for the call under way, refuses the next one, and hurried ends both", async () => {
  await using served = await Served.start();
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  served.fake.obstacle = async () => {
    begun.resolve();
    await go.promise;
  };
  const first = refusal(served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT] }));
  await begun.promise;
  const closed = served.server.close(new AbortController().signal);
  expect(await refusal(served.identity.Probe({}))).toBe("UNAVAILABLE: the driver is shutting down: try again when it is back");
  go.resolve();
  expect(await first).toBe("OK");
  await closed;

  await using hung = await Served.start();
  const [started, hurry] = [Promise.withResolvers<void>(), new AbortController()];
  hung.fake.obstacle = async ({ signal }) => {
    started.resolve();
    await once(signal, "abort");
    throw signal.reason;
  };
  const second = refusal(hung.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT] }));
  await started.promise;
  const ending = hung.server.close(hurry.signal);
  hurry.abort();
  expect(await second).toMatch(/^UNAVAILABLE/);
  await ending;
});

test("work that never ends does not keep a hurried shutdown", async () => {
  await using served = await Served.start();
  const started = Promise.withResolvers<void>();
  served.fake.obstacle = async () => {
    started.resolve();
    await new Promise(() => undefined);
  };
  const asked = refusal(served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT] }));
  await started.promise;
  await served.server.close(AbortSignal.abort());
  expect(await asked).not.toBe("OK");
});

test("the log tells each call with its id, time and code, and never a secret", async () => {
  const { logger, lines } = recordingLogger();
  await using served = await Served.start(PLAIN, logger);
  await served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT], secrets: { password: "hunter2" }, parameters: { pool: "fast" } });
  await refusal(served.node.NodeStageVolume({ volumeId: "x", secrets: { password: "hunter2" } }));
  expect(JSON.stringify(lines)).not.toContain("hunter2");
  expect(lines).toMatchObject([
    { level: "debug", method: "CreateVolume", request: { name: "data", secrets: "***", parameters: { pool: "fast" } } },
    { level: "info", method: "CreateVolume", code: "OK", volumeId: expect.stringMatching(/^vol-/) },
    { level: "debug", method: "NodeStageVolume" },
    { level: "warn", method: "NodeStageVolume", code: "INVALID_ARGUMENT", volumeId: "x" },
  ]);
  expect(lines[0]?.["requestId"]).toBe(lines[1]?.["requestId"]);
  expect(lines[1]?.["requestId"]).not.toBe(lines[2]?.["requestId"]);
});

test("a fault of ours is INTERNAL to its caller and an error with its stack in the log", async () => {
  const { logger, lines } = recordingLogger();
  await using served = await Served.start(PLAIN, logger);
  served.fake.obstacle = async () => {
    throw new TypeError("x is not a function");
  };
  expect(await refusal(served.controller.CreateVolume({ name: "data", volumeCapabilities: [MOUNT] }))).toBe("INTERNAL: x is not a function");
  expect(lines.at(-1)).toMatchObject({ level: "error", code: "INTERNAL", stack: expect.stringContaining("server.test.ts") });
});
