import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { lutimes, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { chooseKernel, type KernelMeans } from "./kernel.ts";

const usual = process.env["XDG_CACHE_HOME"];
let folder = "";
let tried: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-kernel-"));
  process.env["XDG_CACHE_HOME"] = folder;
  tried = [];
});

afterEach(async () => {
  if (usual === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = usual;
  await rm(folder, { recursive: true });
});

const sid = (version: string, fit: boolean): KernelMeans => ({
  openSource: async () => ({
    version,
    unpackInto: (target) => writeFile(join(target, "linux.uml"), version),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
  smokeTest: async (kernel) => {
    tried.push(basename(kernel));
    if (!fit) throw new Error("it does not boot");
  },
});

async function aWeekPasses(): Promise<void> {
  const before = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
  await lutimes(join(folder, "dmthin/kernel-good"), before, before);
}

test("a good kernel is kept for a week without asking the network", async () => {
  await chooseKernel(sid("1", true));
  expect(basename(await chooseKernel(sid("2", true)))).toBe("kernel-1");
  await aWeekPasses();
  expect(basename(await chooseKernel(sid("2", true)))).toBe("kernel-2");
});

test("the lab goes on with the last good kernel when a newer one fails its smoke test, and does not try that one again", async () => {
  await chooseKernel(sid("1", true));
  await aWeekPasses();
  expect(basename(await chooseKernel(sid("2", false)))).toBe("kernel-1");
  await aWeekPasses();
  expect(basename(await chooseKernel(sid("2", false)))).toBe("kernel-1");
  expect(tried).toEqual(["kernel-1", "kernel-2"]);
});

test("the lab works without a network once it has a kernel", async () => {
  await chooseKernel(sid("1", true));
  await aWeekPasses();
  const offline: KernelMeans = { ...sid("2", true), openSource: () => Promise.reject(new Error("no network")) };
  expect(basename(await chooseKernel(offline))).toBe("kernel-1");
});

test("without any good kernel the failure is told, and tried again the next time", async () => {
  await expect(chooseKernel(sid("1", false))).rejects.toThrow("kernel-1 fails its smoke test: it does not boot");
  expect(basename(await chooseKernel(sid("1", true)))).toBe("kernel-1");
});
