import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import type { PoolInfo } from "../../../src/cli/driver-info.ts";
import type { VolumeInfo, VolumesInfo } from "../../../src/cli/volume-info.ts";
import { listVolumes, type Asking, type AskVolumes } from "../../../src/cli/volumes.ts";
import { GiB, MiB } from "../../../src/units.ts";
import { runLine } from "./command-line.ts";
import { driver, fast, refused } from "./pools.ts";

const database: VolumeInfo = {
  id: "vol-aaaaaaaaaaaaaaaaaaaaaaaaaa",
  name: "pvc-1",
  pool: "fast",
  kind: "VOLUME",
  virtualBytes: 10 * GiB,
  mappedBytes: 3 * GiB,
  exclusiveBytes: 2 * GiB,
  origin: "",
  group: "",
  filesystem: "ext4",
  filesystemState: "formatted",
  number: 7,
  createdAt: Date.UTC(2026, 0, 1),
  stagedPath: "/staging/pvc-1",
  publishedPaths: ["/pods/a/mount"],
  deleting: false,
  deletionDelay: "",
};
const snapshot: VolumeInfo = {
  ...database,
  id: "snap-bbbbbbbbbbbbbbbbbbbbbbbbbb",
  name: "before",
  kind: "SNAPSHOT",
  mappedBytes: GiB,
  exclusiveBytes: undefined,
  origin: database.id,
  stagedPath: "",
  publishedPaths: [],
  deleting: true,
  deletionDelay: "held-open",
};
const answer: VolumesInfo = { volumes: [snapshot, database], notMeasured: [] };
const serving: Pick<Asking, "askDriver"> = { askDriver: async () => ({ ...driver, pools: [fast] }) };
const told = (info: VolumesInfo): Asking => ({ ...serving, askVolumes: async () => info });

test("volume ls lists each with its size, what it maps, what it has alone, its origin and whether it is staged", async () => {
  const { code, output, error } = await runLine(["volume", "ls"], told({ volumes: [database, { ...snapshot, deleting: false }], notMeasured: [] }));
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(output).toBe(
    `ID                               POOL    SIZE  MAPPED  EXCLUSIVE  NAME    ORIGIN                          STAGED
snap-bbbbbbbbbbbbbbbbbbbbbbbbbb  fast  10 GiB   1 GiB          -  before  vol-aaaaaaaaaaaaaaaaaaaaaaaaaa  -
vol-aaaaaaaaaaaaaaaaaaaaaaaaaa   fast  10 GiB   3 GiB      2 GiB  pvc-1   -                               yes
`,
  );
});

test("on a terminal that is too narrow for it a line is cut, not broken", async () => {
  const output = Object.assign(new PassThrough({ encoding: "utf8" }), { columns: 60 });
  await listVolumes({ socket: "/x", pool: "", measureMs: 0, json: false }, told(answer), { output, error: new PassThrough() });
  const lines = String(output.read()).trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line.length).toBe(60);
  expect(lines[2]).toMatch(/^vol-a.*…$/);
});

test("volume show tells all of one, by id or by name, and what was made of it", async () => {
  const byId = await runLine(["volume", "show", database.id], told(answer));
  expect(byId).toMatchObject({ code: 0, error: "" });
  for (const part of [/exclusive +2 GiB: what its deletion/, /staged +\/staging\/pvc-1/, /published +\/pods\/a\/mount/, /made of it +snap-b+ \(before\)/])
    expect(byId.output).toMatch(part);
  expect((await runLine(["volume", "show", "pvc-1"], told(answer))).output).toBe(byId.output);
  const other = (await runLine(["volume", "show", "before"], told(answer))).output;
  for (const part of [/exclusive +not known/, /origin +vol-a+ \(pvc-1\)/, /deletion +waits until its device is closed/]) expect(other).toMatch(part);
  expect((await runLine(["volume", "show", "before"], told({ ...answer, volumes: [snapshot] }))).output).toMatch(/origin +vol-a+ \(deleted\)/);
});

test("--json is for programs: a list, or the one that was asked for", async () => {
  expect(JSON.parse((await runLine(["volume", "ls", "--json"], told(answer))).output)).toMatchObject([{ name: "before" }, { name: "pvc-1" }]);
  expect(JSON.parse((await runLine(["volume", "show", "pvc-1", "--json"], told(answer))).output)).toMatchObject({ exclusiveBytes: 2 * GiB });
});

const refusing: AskVolumes = async () => Promise.reject(Object.assign(new Error("5 NOT_FOUND: x"), { code: 5, details: "there is no pool x" }));

describe("what cannot be told is said", () => {
  test("no such volume, no volumes", async () => {
    expect(await runLine(["volume", "show", "x"], told(answer))).toMatchObject({
      code: 1,
      output: "",
      error: expect.stringContaining("there is no volume or snapshot x"),
    });
    expect((await runLine(["volume", "ls"], told({ volumes: [], notMeasured: [] }))).output).toBe("There are no volumes and no snapshots.\n");
  });
  test("a pool that could not be measured in time", async () => {
    const { code, error } = await runLine(["volume", "ls"], told({ ...answer, notMeasured: ["slow"] }));
    expect({ code, error }).toEqual({ code: 0, error: 'dmthin: not measured anew in time, so what is shown is older, or "-": slow\n' });
  });
  test("a pool that is not there, in the driver's words; a driver that is not there", async () => {
    expect(await runLine(["volume", "ls", "--pool", "x"], { ...serving, askVolumes: refusing })).toMatchObject({
      code: 1,
      error: "dmthin: there is no pool x\n",
    });
    expect((await runLine(["volume", "ls", "--socket", "/none.sock"])).error).toContain("no driver runs here");
  });
});

const beside = (status: PoolInfo["status"], info: VolumesInfo): Asking => ({
  ...told(info),
  askDriver: async () => ({ ...driver, pools: [fast, { ...refused, name: "slow", status }] }),
});

describe("a pool that does not serve has not told its volumes: that is not to have none", () => {
  const none: VolumesInfo = { volumes: [], notMeasured: ["slow"] };
  test.each([
    ["REFUSED", "is refused"],
    ["RECOVERING", "is being started"],
    ["LOCKED", "is another process's"],
  ] as const)("%s", async (status, said) => {
    const error = `dmthin: pool slow ${said}, so its volumes are not known: see "dmthin info"\n`;
    for (const argv of [["ls"], ["ls", "--json"], ["ls", "--pool", "slow"], ["show", "pvc-1"]])
      expect(await runLine(["volume", ...argv], beside(status, none))).toMatchObject({ code: 1, output: "", error });
  });
  test("the other pools' are told all the same, and one of theirs is shown", async () => {
    const listed = await runLine(["volume", "ls"], beside("REFUSED", answer));
    expect(listed).toMatchObject({ code: 1, error: expect.stringContaining("pool slow is refused"), output: expect.stringContaining("pvc-1") });
    expect(await runLine(["volume", "show", "pvc-1"], beside("REFUSED", answer))).toMatchObject({ code: 0, error: "" });
    expect((await runLine(["volume", "ls", "--pool", "fast"], beside("REFUSED", { ...none, notMeasured: [] }))).output).toContain("There are no volumes");
  });
  test("one that has served tells what it knew", async () => {
    const known = { volumes: [{ ...database, pool: "slow" }], notMeasured: [] };
    expect(await runLine(["volume", "ls"], beside("REFUSED", known))).toMatchObject({ code: 0, error: "" });
  });
});

test("is asked for a measurement unless told not to, and waited for that long", async () => {
  const asked: unknown[] = [];
  const askVolumes: AskVolumes = async (...args) => (asked.push(args), answer);
  await runLine(["volume", "ls", "--socket", "unix:///x.sock", "--pool", "fast"], { ...serving, askVolumes });
  await runLine(["volume", "ls", "--no-measure", "--socket", "/x.sock"], { ...serving, askVolumes });
  expect(asked).toEqual([
    ["/x.sock", { pool: "fast", measureMs: 10_000 }, 15_000],
    ["/x.sock", { pool: "", measureMs: 0 }, 5000],
  ]);
});

test("sizes below a MiB are told as such", async () => {
  expect((await runLine(["volume", "ls"], told({ volumes: [{ ...database, mappedBytes: MiB / 2 }], notMeasured: [] }))).output).toContain("512 KiB");
});
