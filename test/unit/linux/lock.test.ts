import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { tryLock } from "../../../src/linux/lock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  path = join(folder, "pool.lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("who comes second does not get the lock, and does not wait for it", () => {
  const first = tryLock(path);
  expect(first).toBeDefined();
  expect(tryLock(path)).toBeUndefined();
  first?.release();
  const second = tryLock(path);
  expect(second).toBeDefined();
  second?.release();
});

test("released twice is released once: the number may be another file's by then", () => {
  const first = tryLock(path);
  first?.release();
  const second = tryLock(path);
  expect(second?.fd).toBe(first?.fd);
  first?.release();
  expect(tryLock(path)).toBeUndefined();
  second?.release();
});

test("nobody else may read or write the lock's file", () => {
  tryLock(path)?.release();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a child that inherited the lock keeps it when its parent has let go: an interrupted LVM is never overtaken", async () => {
  const lock = tryLock(path);
  if (lock === undefined) throw new Error("the lock is taken");
  const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", lock.fd] });
  await once(child, "spawn");
  lock.release();
  expect(tryLock(path)).toBeUndefined();
  child.kill();
  await once(child, "exit");
  const next = tryLock(path);
  expect(next).toBeDefined();
  next?.release();
});

test("a child that it was not handed to does not hold it", async () => {
  const lock = tryLock(path);
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  lock?.release();
  const next = tryLock(path);
  expect(next).toBeDefined();
  next?.release();
  child.kill();
  await once(child, "exit");
});

test("a folder that is not there is an error, not a lock that somebody has", () => {
  expect(() => tryLock(join(folder, "none", "pool.lock"))).toThrow("ENOENT");
});
