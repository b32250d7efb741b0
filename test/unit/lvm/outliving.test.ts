import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { run, type Run } from "../../../src/exec/run.ts";
import { Lvm, lvmLeftAtWork } from "../../../src/lvm/lvm.ts";
import { isLvmAtWork, lvmLockOf, tryPoolLock } from "../../../src/pool/pool-lock.ts";
import { until } from "../../contract/kernel/pools.ts";

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmthin-lvm-"));
  lock = lvmLockOf(folder, "fast");
  // As LVM does, it closes what it is given beyond its first three descriptors; and it works until it is allowed to end.
  const lvm = `#!/bin/bash
for fd in /proc/$$/fd/*; do fd=\${fd##*/}; [ "$fd" -gt 2 ] && [ "$fd" -ne 255 ] && eval "exec $fd>&-"; done
echo "$1" >> ${folder}/begun
until [ -e ${folder}/end ]; do sleep 0.02; done
`;
  writeFileSync(join(folder, "lvm"), lvm, { mode: 0o755 });
});

afterEach(async () => {
  end();
  await lvmLeftAtWork()?.ended;
  rmSync(folder, { recursive: true });
});

const end = (): void => writeFileSync(join(folder, "end"), "");
const isBegun = (): boolean => existsSync(join(folder, "begun"));
const runFake: Run = async (argv, options) => run(argv, { ...options, env: { ...options?.env, PATH: `${folder}:${process.env["PATH"]}` } });
const lvm = (deadlineMs: number): Lvm => new Lvm({ run: runFake, devices: ["/dev/none"], lock, deadlineMs });

test("a command that outlives its deadline is known of, and keeps the pool from whoever would take it, until it has ended", async () => {
  const owner = tryPoolLock(folder, "fast");
  expect(isLvmAtWork(folder, "fast")).toBe(false);
  await expect(lvm(300).refresh("group/pool")).rejects.toMatchObject({ facts: { code: "program-failed", timedOut: true } });
  expect(lvmLeftAtWork()).toMatchObject({ operation: "lvm lvchange", since: expect.any(Date) });
  expect(isLvmAtWork(folder, "fast")).toBe(true);
  owner?.release(); // its owner dies
  expect(tryPoolLock(folder, "fast")).toBeUndefined();
  end();
  await lvmLeftAtWork()?.ended;
  expect([lvmLeftAtWork(), isLvmAtWork(folder, "fast")]).toEqual([undefined, false]);
  const next = tryPoolLock(folder, "fast");
  expect(next).toBeDefined();
  next?.release();
});

test("the next command waits for its end, whoever starts it; one that cannot wait as long says for what", async () => {
  const first = lvm(60_000).refresh("group/pool");
  await until(isBegun);
  expect(lvmLeftAtWork()).toBeUndefined(); // somebody waits for it
  await expect(lvm(200).extend("group/pool", 1)).rejects.toThrow(/lvextend, which waits for another command of LVM/);
  const second = lvm(60_000).extend("group/pool", 1);
  end();
  await Promise.all([first, second]);
  expect(isLvmAtWork(folder, "fast")).toBe(false);
});
