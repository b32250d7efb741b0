import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ClusterWork } from "../../../src/cli/cluster-commands.ts";
import { runLine } from "./command-line.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-cluster-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const nothing: ClusterWork = { applyPools: async () => [], held: async () => [], health: async () => [] };
const line = async (args: readonly string[], work: Partial<ClusterWork>) => {
  const asked: (string | undefined)[] = [];
  const result = await runLine(["cluster", ...args], {
    cluster: async (kubeconfig) => {
      asked.push(kubeconfig);
      return { ...nothing, ...work };
    },
  });
  return { ...result, asked };
};

const applied = async (text: string) => {
  const file = join(folder, "pools.yaml");
  await writeFile(file, text);
  const given: object[] = [];
  const applyPools: ClusterWork["applyPools"] = async (pools) => {
    given.push(pools);
    return Object.keys(pools).map((name) => ({ name, outcome: "made" }));
  };
  return { given, ...(await line(["apply-pools", file, "--kubeconfig", "/k"], { applyPools })) };
};

describe("apply-pools", () => {
  test("hands the file's pools on, and says what became of each", async () => {
    const { code, output, given, asked } = await applied("fast: {backing: {loop: {directory: /a}}}\n");
    expect({ code, output, given, asked }).toEqual({
      code: 0,
      output: "ThinPool fast: made\n",
      given: [{ fast: { backing: { loop: { directory: "/a" } } } }],
      asked: ["/k"],
    });
  });

  test.each([
    ["- a list", "names no ThinPools"],
    ["fast: 7", "fast: is no ThinPool's spec"],
  ])("refuses %s", async (text, why) => {
    const { code, error, given } = await applied(text);
    expect({ code, given }).toEqual({ code: 1, given: [] });
    expect(error).toContain(why);
  });
});

describe("guard", () => {
  const volume = { kind: "ThinVolume", name: "vol-a", node: "node1", claim: "ns/data", isTerminating: false };

  test("lets go when nothing is held", async () => {
    expect(await line(["guard"], {})).toMatchObject({ code: 0, output: "No volumes and no snapshots: the driver can be removed.\n", asked: [undefined] });
  });

  test("fails while something is, and names it", async () => {
    const { code, error } = await line(["guard"], { held: async () => [volume, { ...volume, kind: "ThinSnapshot", claim: undefined, isTerminating: true }] });
    expect(code).toBe(1);
    expect(error).toContain("2 volumes and snapshots are left");
    expect(error).toContain("  ThinVolume vol-a on node node1, of claim ns/data\n  ThinSnapshot vol-a on node node1, being deleted\n");
    expect(error).toMatch(/\nAfter a refused helm uninstall: helm rollback RELEASE REVISION -n NAMESPACE, .{1,40}\n$/);
  });

  test("names the first twenty", async () => {
    const { error } = await line(["guard"], { held: async () => Array.from({ length: 25 }, () => volume) });
    expect(error.match(/ThinVolume/g)).toHaveLength(20);
    expect(error).toContain("and 5 more");
  });
});

describe("check", () => {
  const well = { pool: "fast", isWell: true, message: "ready on 2 nodes" };
  const ill = { pool: "fast", isWell: false, message: "node node2: Refused, no disk" };

  test("says how each pool is", async () => {
    expect(await line(["check"], { health: async () => [well] })).toMatchObject({ code: 0, output: "ThinPool fast: ready on 2 nodes\n" });
    expect(await line(["check"], { health: async () => [well, ill] })).toMatchObject({
      code: 1,
      output: "ThinPool fast: ready on 2 nodes\nThinPool fast: node node2: Refused, no disk\n",
    });
    expect((await line(["check"], {})).output).toContain("no ThinPool yet");
  });

  test("waits until all are well, and says once for what", async () => {
    const answers = [[ill], [ill, { ...well, pool: "slow" }], [well]];
    const { code, output, error } = await line(["check", "--wait", "60"], { health: async () => answers.shift() ?? [] });
    expect({ code, output }).toEqual({ code: 0, output: "ThinPool fast: ready on 2 nodes\n" });
    expect(error).toBe("waiting for ThinPool fast: node node2: Refused, no disk\n");
  }, 20_000);

  test("takes seconds", async () => expect(await line(["check", "--wait", "soon"], {})).toMatchObject({ code: 2 }));
});
