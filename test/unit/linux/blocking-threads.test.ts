import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { BlockingThreads, type BlockingCall } from "../../../src/linux/blocking-threads.ts";
import { workerEntry } from "../../../src/linux/worker-entry.ts";

const entry = workerEntry("blocking-worker");
const LONG_MS = 60_000;

let folder: string;
let threads: BlockingThreads;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blocking-"));
  threads = new BlockingThreads({ entry, limit: 2, abandonedLimit: 1, patienceMs: 0 });
});
afterEach(async () => {
  await threads.close();
  rmSync(folder, { recursive: true });
});

/** Opening a pipe that nobody writes to hangs in the kernel, as does a suspended device; a writer ends it. */
function hangingPipe(name: string): { readonly path: string; readonly letGo: () => void } {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  return { path, letGo: () => closeSync(openSync(path, "w")) };
}
const statfs = (deadlineMs = LONG_MS): BlockingCall<unknown> => threads.run({ kind: "statfs", path: folder }, deadlineMs);
const hang = (path: string, deadlineMs: number): BlockingCall<undefined> => threads.run({ kind: "syncfs", path }, deadlineMs);

test("a filesystem's figures are those that the kernel gives everybody", async () => {
  const { bsize, blocks, files } = statfsSync(folder);
  expect(await statfs().done).toMatchObject({ totalBytes: bsize * blocks, totalInodes: files });
});

test("a filesystem is written out", async () => {
  expect(await threads.run({ kind: "syncfs", path: folder }, LONG_MS).done).toBeUndefined();
});

test("an error comes with its errno, in both answers", async () => {
  const call = threads.run({ kind: "statfs", path: join(folder, "none") }, LONG_MS);
  await expect(call.done).rejects.toMatchObject({ facts: { code: "kernel-failed", operation: "statfs", errno: "ENOENT" } });
  expect(await call.outcome).toMatchObject({ error: { facts: { errno: "ENOENT" } } });
});

test("an ioctl that the device does not know is refused by name", async () => {
  const call = threads.run(
    { kind: "ioctl", path: "/dev/null", request: 0x1277, data: new Uint8Array(16), operation: "discard", subject: "/dev/null" },
    LONG_MS,
  );
  await expect(call.done).rejects.toThrow("the kernel refused discard of /dev/null: ENOTTY");
});

test("a call that hangs is given up at its deadline, others go on, and its outcome is told when it has ended after all", async () => {
  const pipe = hangingPipe("pipe");
  const hung = hang(pipe.path, 50);
  await expect(hung.done).rejects.toMatchObject({ facts: { code: "deadline" } });
  expect(threads.abandoned).toBe(1);
  await statfs().done;
  let ended = false;
  const watched = hung.outcome.then((outcome) => {
    ended = true;
    return outcome;
  });
  await statfs().done;
  expect(ended).toBe(false);
  pipe.letGo();
  expect(await watched).toEqual({ error: undefined });
  expect(threads.abandoned).toBe(0);
});

test("a call beside one that hangs does not wait for it, though its deadline is far", async () => {
  const pipe = hangingPipe("pipe");
  const hung = hang(pipe.path, LONG_MS);
  await statfs().done;
  pipe.letGo();
  await hung.done;
});

test("no more threads hang than are allowed: what comes then waits, and is never begun when its deadline passes first", async () => {
  const pipes = ["one", "two", "three"].map(hangingPipe);
  const hung = pipes.map(({ path }) => hang(path, 50));
  const outcomes = await Promise.allSettled(hung.map(({ done }) => done));
  expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
  expect(threads.abandoned).toBe(3);
  const late = statfs(50);
  await expect(late.done).rejects.toMatchObject({ facts: { code: "deadline" } });
  expect(await late.outcome).toMatchObject({ error: { facts: { code: "deadline" } } });
  const waiting = statfs();
  pipes[0]?.letGo();
  await waiting.done;
  for (const { letGo } of pipes.slice(1)) letGo();
  await Promise.all(hung.map(({ outcome }) => outcome));
});

test("only its outcome looked at, a call that fails ends nobody's process", async () => {
  expect((await threads.run({ kind: "statfs", path: join(folder, "none") }, LONG_MS).outcome).error).toBeDefined();
});

test("closing does not wait for a call that hangs, refuses new ones, and the outcome is told all the same", async () => {
  const pipe = hangingPipe("pipe");
  const hung = hang(pipe.path, 50);
  await expect(hung.done).rejects.toMatchObject({ facts: { code: "deadline" } });
  await threads.close();
  await expect(statfs().done).rejects.toMatchObject({ facts: { code: "shutting-down" } });
  pipe.letGo();
  expect(await hung.outcome).toEqual({ error: undefined });
});

test("a thread that cannot start is an error, not silence", async () => {
  const broken = new BlockingThreads({ entry: new URL("file:///no/such/worker.ts") });
  expect((await broken.run({ kind: "statfs", path: "/" }, LONG_MS).outcome).error).toBeDefined();
  await broken.close();
});
