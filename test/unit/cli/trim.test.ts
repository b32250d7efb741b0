import { expect, test } from "@jest/globals";
import type { DriverUpkeep, VolumeSeen } from "../../../src/cli/driver-upkeep.ts";
import { GiB } from "../../../src/units.ts";
import { runLine } from "./command-line.ts";

const database: VolumeSeen = { id: "vol-a", name: "pvc-1", pool: "fast", kind: "VOLUME", stagedPath: "/staging/a", deleting: false };
const block: VolumeSeen = { ...database, id: "vol-b", name: "pvc-2" };
const idle: VolumeSeen = { ...database, id: "vol-c", name: "pvc-3", stagedPath: "" };
const snapshot: VolumeSeen = { ...database, id: "snap-d", name: "before", kind: "SNAPSHOT", stagedPath: "" };

const volumes: DriverUpkeep["volumes"] = async () => ({ volumes: [database], notServing: ["slow"] });

const refusal = (message: string, isSilent: boolean): Error => Object.assign(new Error(message), { isSilent });

async function trim(argv: readonly string[], change: Partial<DriverUpkeep> = {}) {
  const asked: string[] = [];
  const driver: Partial<DriverUpkeep> = {
    volumes: async (pool) => ({ volumes: [database, block, idle, snapshot].filter((each) => pool === "" || each.pool === pool), notServing: [] }),
    trim: async (id, pool) => {
      asked.push(`${pool}/${id}`);
      return id === "vol-a" ? { givenBackBytes: 3 * GiB, leftAlone: "" } : { givenBackBytes: 0, leftAlone: "it is a block volume" };
    },
    ...change,
  };
  return { ...(await runLine(["volume", "trim", ...argv], { askUpkeep: async () => driver as DriverUpkeep })), asked };
}

test("without a name all that are staged are trimmed, one after the other; what is told of each, and what is under way", async () => {
  expect(await trim([])).toMatchObject({
    code: 0,
    asked: ["fast/vol-a", "fast/vol-b"],
    output: "vol-a (pvc-1): 3 GiB given back\nvol-b (pvc-2): left alone: it is a block volume\n",
    error: "Trimming vol-a (pvc-1), 1 of 2; it stays in use.\nTrimming vol-b (pvc-2), 2 of 2; it stays in use.\n",
  });
});

test("those that are named, by id or name, each once; one that cannot be trimmed is a failure then", async () => {
  expect(await trim(["pvc-1", "vol-a"])).toMatchObject({ code: 0, asked: ["fast/vol-a"] });
  expect(await trim(["vol-a", "pvc-3"])).toMatchObject({ code: 1, asked: ["fast/vol-a", "fast/vol-c"] });
  expect(await trim(["pvc-9", "vol-a"])).toMatchObject({
    code: 1,
    asked: ["fast/vol-a"],
    error: expect.stringContaining('dmthin: there is no volume pvc-9: see "dmthin volume ls"\n'),
  });
});

test("of one pool alone", async () => {
  expect(await trim(["--pool", "slow"])).toMatchObject({ code: 0, asked: [], output: "No volume is in use here.\n", error: "" });
});

test("one that fails does not keep the next from its turn", async () => {
  const result = await trim([], {
    trim: async (id) => (id === "vol-a" ? Promise.reject(refusal("pool fast is not ready yet", false)) : { givenBackBytes: 4096, leftAlone: "" }),
  });
  expect(result).toMatchObject({ code: 1, output: "vol-b (pvc-2): 4 KiB given back\n" });
  expect(result.error).toContain("dmthin: vol-a (pvc-1) is not trimmed: pool fast is not ready yet\n");
});

test("a pool that does not serve is told where it could have had what was asked for", async () => {
  const said = 'dmthin: pool slow does not serve, so its volumes are not known: see "dmthin info"\n';
  expect(await trim([], { volumes })).toMatchObject({ code: 1, asked: ["fast/vol-a"], error: expect.stringContaining(said) });
  expect(await trim(["pvc-9"], { volumes })).toMatchObject({ code: 1, asked: [], error: expect.stringContaining(said) });
  expect(await trim(["pvc-1"], { volumes })).toMatchObject({ code: 0, error: expect.not.stringContaining(said) });
});

test("without a driver nothing more is asked, and it is said", async () => {
  let asked = 0;
  const result = await trim(["--socket", "/nowhere/admin.sock"], { trim: async () => Promise.reject(refusal(`${++asked}`, true)) });
  expect(result).toMatchObject({ code: 1, output: "", error: expect.stringContaining("no driver runs here") });
  expect(asked).toBe(1);
});

test("--json is for programs", async () => {
  const { output, code } = await trim(["--json"]);
  expect(JSON.parse(output)).toEqual([
    { id: "vol-a", name: "pvc-1", pool: "fast", givenBackBytes: 3 * GiB, leftAlone: "", failure: "" },
    { id: "vol-b", name: "pvc-2", pool: "fast", givenBackBytes: 0, leftAlone: "it is a block volume", failure: "" },
  ]);
  expect(code).toBe(0);
});
