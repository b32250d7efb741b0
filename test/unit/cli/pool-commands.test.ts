import { describe, expect, test } from "@jest/globals";
import type { DriverUpkeep } from "../../../src/cli/driver-upkeep.ts";
import { GiB } from "../../../src/units.ts";
import { runLine } from "./command-line.ts";

/** A driver that notes what it is asked. */
class Asked implements DriverUpkeep {
  readonly calls: unknown[] = [];

  orphans: DriverUpkeep["orphans"] = async () => [
    { number: 17, mappedBytes: 3 * GiB, transactionId: 41, notBefore: new Date("2026-11-01T10:00:00Z"), notAfter: new Date("2026-11-03T11:30:00Z") },
    { number: 18, mappedBytes: 0, transactionId: 90, notBefore: new Date("2026-11-20T10:00:00Z"), notAfter: undefined },
    { number: 19, mappedBytes: 0, transactionId: 1, notBefore: undefined, notAfter: undefined },
  ];

  adopt: DriverUpkeep["adopt"] = async (pool, wanted) => {
    this.calls.push(["adopt", pool, wanted]);
    const [manifest, letGoFirst] = [
      wanted.name === "pvc-1" ? "" : "kind: ThinVolume\n",
      wanted.name === "of-another-pool" ? ["kubectl one", "kubectl two"] : [],
    ];
    return { id: "vol-x", sizeBytes: 3 * GiB, filesystem: "xfs", manifest, letGoFirst };
  };

  remove: DriverUpkeep["remove"] = async (pool, number) => {
    this.calls.push(["remove", pool, number]);
    return { waiting: number === 18 };
  };

  makeKnown: DriverUpkeep["makeKnown"] = async (volume, pool) => {
    this.calls.push(["make known", volume, pool]);
    return { id: "vol-x", manifest: "kind: ThinVolume\n", letGoFirst: volume === "of-another-pool" ? ["kubectl one"] : [] };
  };

  volumes: DriverUpkeep["volumes"] = async () => ({ volumes: [], notServing: [] });
  trim: DriverUpkeep["trim"] = async () => ({ givenBackBytes: 0, leftAlone: "" });

  addDevices: DriverUpkeep["addDevices"] = async (pool, paths) => {
    this.calls.push(["add", pool, paths]);
  };

  extend: DriverUpkeep["extend"] = async (pool, part, target) => {
    this.calls.push(["extend", pool, part, target]);
    return { fromBytes: GiB, toBytes: part === "data" ? 2 * GiB : GiB };
  };
}

const failing = (message: string, facts: { readonly isSilent: boolean }) => async (): Promise<DriverUpkeep> =>
  Object.assign(new Asked(), { extend: async () => Promise.reject(Object.assign(new Error(message), facts)) });

async function run(...argv: readonly string[]) {
  return runWith("pool", ...argv);
}

async function runWith(...argv: readonly string[]) {
  const driver = new Asked();
  const sockets: string[] = [];
  const askUpkeep = async (socket: string): Promise<DriverUpkeep> => {
    sockets.push(socket);
    return driver;
  };
  return { ...(await runLine(argv, { askUpkeep })), calls: driver.calls, sockets };
}

describe("volume show --manifest", () => {
  test("prints what makes the volume known, and nothing else where a pipe reads", async () => {
    const { code, output, error, calls, sockets } = await runWith("volume", "show", "pvc-1", "--manifest", "--socket", "unix:///x.sock");
    expect([code, output, sockets]).toEqual([0, "kind: ThinVolume\n", ["/x.sock"]]);
    expect(error).toMatch(/has no ThinVolume of it.*kubectl apply --namespace NAMESPACE -f -.*PersistentVolume with volumeHandle vol-x already/s);
    expect(calls).toEqual([["make known", "pvc-1", ""]]);
    expect((await runWith("volume", "show", "of-another-pool", "--manifest", "--pool", "fast")).error).toContain("Let go of it first:\n  kubectl one\n");
  });

  test("is YAML alone, and a refusal is the driver's own", async () => {
    expect(await runWith("volume", "show", "pvc-1", "--manifest", "--json")).toMatchObject({ code: 2, output: "" });
    const refusing = Object.assign(new Asked(), { makeKnown: async () => Promise.reject(Object.assign(new Error("it is known"), { isSilent: false })) });
    const refused = await runLine(["volume", "show", "pvc-1", "--manifest"], { askUpkeep: async () => refusing });
    expect(refused).toMatchObject({ code: 1, output: "", error: "dmthin: it is known\n" });
  });
});

describe("pool orphans", () => {
  test("lists them with what is known of their age, and what can be done", async () => {
    const { code, output } = await run("orphans", "fast");
    expect(code).toBe(0);
    expect(output.split("\n").map((line) => line.trimEnd())).toEqual([
      "NUMBER  MAPPED  TRANSACTION  MADE",
      "    17   3 GiB           41  2026-11-01 10:00 to 2026-11-03 11:30",
      "    18     0 B           90  after 2026-11-20 10:00",
      "    19     0 B            1  not known",
      "",
      "They are left alone until somebody says what becomes of them:",
      "  dmthin pool orphans fast --adopt 17 --name NAME   gives one a name: it is a volume then",
      "  dmthin pool orphans fast --delete 17              deletes one, with what it holds",
      "",
    ]);
  });

  test("adopts and deletes by number, and says what became of it", async () => {
    const adopted = await run("orphans", "fast", "--adopt", "17", "--name", "pvc-1", "--size", "5Gi", "--socket", "unix:///x.sock");
    expect(adopted).toMatchObject({ code: 0, output: "Thin device 17 is volume vol-x now, pvc-1: 3 GiB, xfs.\n", sockets: ["/x.sock"] });
    expect(adopted.calls).toEqual([["adopt", "fast", { number: 17, name: "pvc-1", sizeBytes: 5 * GiB }]]);
    expect((await run("orphans", "fast", "--delete", "17")).output).toBe("Thin device 17 is deleted.\n");
    expect((await run("orphans", "fast", "--delete", "18")).output).toBe("Thin device 18 is held open, and goes as soon as that ends.\n");
  });

  test("in a cluster that does not know it yet, what makes it known is printed, and nothing else where a pipe reads", async () => {
    const { code, output, error } = await run("orphans", "fast", "--adopt", "17", "--name", "in-cluster");
    expect([code, output]).toEqual([0, "kind: ThinVolume\n"]);
    expect(error).toMatch(
      /^Thin device 17 is volume vol-x now, in-cluster: 3 GiB, xfs\.\n.*has no ThinVolume of it.*\n.*kubectl apply --namespace NAMESPACE -f -.*PersistentVolume with volumeHandle vol-x already/s,
    );
  });

  test("where another pool's object has its name, what lets go of that is said first, and it is not called unknown", async () => {
    const { output, error } = await run("orphans", "fast", "--adopt", "17", "--name", "of-another-pool");
    expect(output).toBe("kind: ThinVolume\n");
    expect(error).toMatch(/Let go of it first:\n  kubectl one\n  kubectl two\nThen give what follows/);
    expect(error).not.toContain("no ThinVolume");
  });

  test.each([
    [["--adopt", "1", "--delete", "2"], "either adopted or deleted"],
    [["--adopt", "1"], "needs a name"],
    [["--name", "x"], "belong to --adopt"],
    [["--delete", "1", "--size", "1Gi"], "belong to --adopt"],
    [["--delete", "one"], "not a thin device's number"],
  ])("%j is refused before anybody is asked", async (argv, sentence) => {
    const { code, error, calls, sockets } = await run("orphans", "fast", ...argv);
    expect({ code, calls, sockets }).toEqual({ code: 2, calls: [], sockets: [] });
    expect(error).toContain(sentence);
  });
});

describe("pool extend", () => {
  test("extends metadata before data, and says what they were and are", async () => {
    const { code, output, calls } = await run("extend", "fast", "--data", "+100Gi", "--metadata", "max");
    expect(calls).toEqual([
      ["extend", "fast", "metadata", "max"],
      ["extend", "fast", "data", { by: 100 * GiB }],
    ]);
    expect({ code, output }).toEqual({ code: 0, output: "metadata: as large already: 1 GiB\ndata: 2 GiB now, 1 GiB before\n" });
    expect((await run("extend", "fast", "--data", "2Gi")).calls).toEqual([["extend", "fast", "data", { to: 2 * GiB }]]);
  });

  test("adds disks before it extends, by what they have", async () => {
    const { calls, output } = await run("extend", "fast", "--add-device", "/dev/sdb", "/dev/sdc", "--data", "max");
    expect(calls).toEqual([
      ["add", "fast", ["/dev/sdb", "/dev/sdc"]],
      ["extend", "fast", "data", "max"],
    ]);
    expect(output).toContain("added: /dev/sdb, /dev/sdc; add them");
  });

  test.each([
    [[], "say what is to grow"],
    [["--data", "100G"], "ambiguous"],
    [["--data", "-1Gi"], "not a size"],
    [["--metadata", "+0"], "not a size"],
  ])("%j is refused before anybody is asked", async (argv, sentence) => {
    const { code, error, sockets } = await run("extend", "fast", ...argv);
    expect({ code, sockets }).toEqual({ code: 2, sockets: [] });
    expect(error).toContain(sentence);
  });

  test("what the driver refuses is said in its words", async () => {
    const askUpkeep = failing("only 3 GiB are left", { isSilent: false });
    const { code, error } = await runLine(["pool", "extend", "fast", "--data", "max"], { askUpkeep });
    expect(code).toBe(1);
    expect(error).toContain("dmthin: only 3 GiB are left\n");
  });

  test("where no driver runs, that is said, and how to start one", async () => {
    const askUpkeep = failing("No connection established", { isSilent: true });
    const { code, error } = await runLine(["pool", "extend", "fast", "--data", "max", "-s", "/no/such.sock"], { askUpkeep });
    expect(code).toBe(1);
    expect(error).toContain("no driver runs here");
  });
});
