import type { Capability, Origin, VolumeRecord } from "../../src/catalog/records.ts";
import type { ActiveDevice, NewSnapshot, NewVolume } from "../../src/pool/pool-calls.ts";
import { groupId, memberName, snapshotId, volumeId } from "../../src/volumes/ids.ts";
import { LARGER, SIZE, until, type Bench } from "./bench.ts";

/**
 * A call that is interrupted at each of its steps. `prepare` is not; `act` is, and is repeated afterwards, first on what
 * an interruption has left and then once more on what it has made itself; `verify` looks at what its users then have.
 */
export interface Scenario {
  readonly name: string;
  /** `act` changes the catalogue, and asks the kernel for nothing. */
  readonly isWithoutKernel?: true;
  readonly prepare: (bench: Bench) => Promise<void>;
  readonly act: (bench: Bench) => Promise<void>;
  readonly verify: (bench: Bench) => Promise<void>;
}

const MOUNT: Capability = { access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" };
const [OLD, NEW] = [0x11, 0x22];

const idOf = ({ run }: Bench, name: string): string => volumeId(`${run}/${name}`);
const mountPointOf = ({ run }: Bench): string => `/run/dmthin-crash/${run}`;

function newVolume({ run }: Bench, name: string, origin: Origin = { kind: "blank" }, discardOnDelete = false): NewVolume {
  const full = `${run}/${name}`;
  const parameters = { discardOnDelete, xfsNospaceMaxRetries: "auto" as const };
  return { id: volumeId(full), name: full, sizeBytes: SIZE, origin, filesystem: "ext4", capabilities: [MOUNT], mkfsOptions: [], parameters };
}

function newSnapshot(bench: Bench, source: string, name = `of ${source}`): NewSnapshot {
  const full = `${bench.run}/${name}`;
  return { id: snapshotId(full), name: full, sourceVolumeId: idOf(bench, source) };
}

const newGroup = ({ run }: Bench): { readonly id: string; readonly name: string } => ({ id: groupId(run), name: run });
const newMember = (bench: Bench, source: string): NewSnapshot => newSnapshot(bench, source, memberName("group", source));

const activate = async ({ pool }: Bench, id: string): Promise<ActiveDevice> => pool.calls.activate(id, { readOnly: false });

/** A volume with content; `active` leaves it as a block volume in use would be. */
async function make(bench: Bench, name: string, { active = false, discardOnDelete = false } = {}): Promise<VolumeRecord> {
  const made = await bench.pool.calls.createVolume(newVolume(bench, name, { kind: "blank" }, discardOnDelete));
  const { path } = await activate(bench, made.id);
  await bench.write(path, OLD);
  if (!active) await bench.pool.calls.deactivate(made.id);
  return made;
}

function expectEqual(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, where ${String(wanted)} was expected`);
}

async function expectContent(bench: Bench, id: string, byte: number): Promise<void> {
  expectEqual(`the content of ${id}`, await bench.read((await activate(bench, id)).path), byte);
  await bench.pool.calls.deactivate(id);
}

/** A snapshot holds its moment, whatever is written to its origin now. */
async function expectSnapshot(bench: Bench, name: string, source: string): Promise<void> {
  const origin = await activate(bench, idOf(bench, source));
  await bench.write(origin.path, NEW);
  const restored = await bench.pool.calls.createVolume(newVolume(bench, `restored ${name}`, { kind: "snapshot", id: snapshotId(`${bench.run}/${name}`) }));
  await expectContent(bench, restored.id, OLD);
}

async function expectGone({ pool }: Bench, ids: readonly string[]): Promise<void> {
  await until(() => ids.every((id) => !pool.view.thins.has(id)));
}

const restore = (name: string, active: boolean, kind: "snapshot" | "volume"): Scenario => ({
  name,
  prepare: async (bench) => {
    await make(bench, "a", { active });
    if (kind === "snapshot") await bench.pool.calls.createSnapshots([newSnapshot(bench, "a")], undefined);
  },
  act: async (bench) => {
    const id = kind === "snapshot" ? newSnapshot(bench, "a").id : idOf(bench, "a");
    await bench.pool.calls.createVolume(newVolume(bench, "copy", { kind, id }));
  },
  verify: async (bench) => {
    await bench.write((await activate(bench, idOf(bench, "a"))).path, NEW);
    await expectContent(bench, idOf(bench, "copy"), OLD);
  },
});

const snapshot = (name: string, active: boolean): Scenario => ({
  name,
  prepare: async (bench) => void (await make(bench, "a", { active })),
  act: async (bench) => void (await bench.pool.calls.createSnapshots([newSnapshot(bench, "a")], undefined)),
  verify: async (bench) => expectSnapshot(bench, "of a", "a"),
});

const removal = (name: string, options: { readonly active?: boolean; readonly discardOnDelete?: boolean }): Scenario => ({
  name,
  prepare: async (bench) => {
    await make(bench, "a", options);
    await bench.pool.calls.createSnapshots([newSnapshot(bench, "a")], undefined);
  },
  act: async (bench) => bench.pool.calls.remove(idOf(bench, "a")),
  verify: async (bench) => {
    await expectGone(bench, [idOf(bench, "a")]);
    const restored = await bench.pool.calls.createVolume(newVolume(bench, "survivor", { kind: "snapshot", id: newSnapshot(bench, "a").id }));
    await expectContent(bench, restored.id, OLD);
  },
});

const expansion = (name: string, active: boolean): Scenario => ({
  name,
  ...(active ? {} : { isWithoutKernel: true }),
  prepare: async (bench) => void (await make(bench, "a", { active })),
  act: async (bench) => void (await bench.pool.calls.expand(idOf(bench, "a"), LARGER)),
  verify: async (bench) => {
    expectEqual("the size", (await activate(bench, idOf(bench, "a"))).sizeBytes, LARGER);
    await expectContent(bench, idOf(bench, "a"), OLD);
  },
});

const group: Scenario = {
  name: "snapshot of a group, two in use and one idle",
  prepare: async (bench) => {
    for (const name of ["a", "b"]) await make(bench, name, { active: true });
    await make(bench, "c");
  },
  act: async (bench) => {
    const members = ["a", "b", "c"].map((source) => newMember(bench, source));
    const made = await bench.pool.calls.createSnapshots(members, newGroup(bench));
    expectEqual("transaction ids", new Set(made.map(({ transactionId }) => transactionId)).size, 1);
  },
  verify: async (bench) => {
    expectEqual("members", bench.pool.view.groups.get(newGroup(bench).id)?.snapshotIds.length, 3);
    for (const source of ["a", "b", "c"]) await expectSnapshot(bench, memberName("group", source), source);
  },
};

const groupRemoval: Scenario = {
  name: "delete of a group",
  prepare: async (bench) => {
    await make(bench, "a", { active: true });
    await make(bench, "b");
    await bench.pool.calls.createSnapshots([newMember(bench, "a"), newMember(bench, "b")], newGroup(bench));
  },
  act: async (bench) => bench.pool.calls.removeGroup(newGroup(bench).id),
  verify: async (bench) => {
    await expectGone(bench, [newMember(bench, "a").id, newMember(bench, "b").id]);
    expectEqual("the group", bench.pool.view.groups.has(newGroup(bench).id), false);
    for (const name of ["a", "b"]) await expectContent(bench, idOf(bench, name), OLD);
  },
};

const mounted: Scenario = {
  name: "snapshot of a mounted filesystem with unwritten data",
  prepare: async (bench) => {
    const { id } = await bench.pool.calls.createVolume(newVolume(bench, "a"));
    const { path } = await activate(bench, id);
    await bench.format(path);
    await bench.pool.calls.setFilesystem(id, { state: "formatted" });
    await bench.mount(path, mountPointOf(bench));
    await bench.pool.calls.setStaging(id, { path: mountPointOf(bench), capability: MOUNT });
    await bench.writeFile(mountPointOf(bench), "before");
  },
  act: async (bench) => void (await bench.pool.calls.createSnapshots([newSnapshot(bench, "a")], undefined)),
  verify: async (bench) => {
    await bench.unmount(mountPointOf(bench));
    const copy = await bench.pool.calls.createVolume(newVolume(bench, "copy", { kind: "snapshot", id: newSnapshot(bench, "a").id }));
    const { path } = await activate(bench, copy.id);
    await bench.mount(path, mountPointOf(bench));
    const text = await bench.readFile(mountPointOf(bench));
    if (text !== undefined || !bench.unsyncedLost) expectEqual("the file", text, "before");
    await bench.unmount(mountPointOf(bench));
    await bench.pool.calls.deactivate(copy.id);
  },
};

const create: Scenario = {
  name: "create",
  prepare: async () => undefined,
  act: async (bench) => void (await bench.pool.calls.createVolume(newVolume(bench, "a"))),
  verify: async (bench) => {
    const { path, empty } = await activate(bench, idOf(bench, "a"));
    expectEqual("a new volume's emptiness", empty, true);
    await bench.write(path, OLD);
    await bench.pool.calls.deactivate(idOf(bench, "a"));
    await expectContent(bench, idOf(bench, "a"), OLD);
  },
};

const extension: Scenario = {
  name: "the pool is made larger, below a volume in use",
  prepare: async (bench) => {
    await make(bench, "a", { active: true });
    bench.enlargeMetadata();
  },
  act: async ({ pool }) => void (await pool.calls.extend("metadata", "max")),
  verify: async (bench) => {
    const { metadata } = await bench.pool.calls.refresh();
    expectEqual("the metadata's size", metadata.total * 4096, bench.mostMetadataBytes());
    await expectContent(bench, idOf(bench, "a"), OLD);
  },
};

const firstStage: Scenario = {
  name: "first use: activation and formatting",
  prepare: async (bench) => void (await bench.pool.calls.createVolume(newVolume(bench, "a"))),
  act: async (bench) => {
    const { calls, view } = bench.pool;
    const id = idOf(bench, "a");
    const { path, empty } = await activate(bench, id);
    const record = view.thins.get(id);
    if (record?.filesystem.state !== "formatted") {
      if (!empty && record?.filesystem.state !== "formatting") throw new Error("a volume that was never formatted holds something");
      await calls.setFilesystem(id, { state: "formatting" });
      await bench.format(path);
      await calls.setFilesystem(id, { state: "formatted" });
    }
    await calls.setStaging(id, { path: mountPointOf(bench), capability: MOUNT });
  },
  verify: async (bench) => {
    const { path } = await activate(bench, idOf(bench, "a"));
    await bench.mount(path, mountPointOf(bench));
    await bench.unmount(mountPointOf(bench));
  },
};

const lastUse: Scenario = {
  name: "end of use: deactivation",
  prepare: async (bench) => {
    const { id } = await make(bench, "a", { active: true });
    await bench.pool.calls.setStaging(id, { path: mountPointOf(bench), capability: MOUNT });
  },
  act: async (bench) => {
    await bench.pool.calls.deactivate(idOf(bench, "a"));
    await bench.pool.calls.setStaging(idOf(bench, "a"), undefined);
  },
  verify: async (bench) => expectContent(bench, idOf(bench, "a"), OLD),
};

export const SCENARIOS: readonly Scenario[] = [
  create,
  restore("restore of a snapshot", false, "snapshot"),
  restore("clone of an idle volume", false, "volume"),
  restore("clone of a volume in use", true, "volume"),
  snapshot("snapshot of an idle volume", false),
  snapshot("snapshot of a volume in use", true),
  mounted,
  group,
  removal("delete", {}),
  removal("delete of an active volume", { active: true }),
  removal("delete with discard", { discardOnDelete: true }),
  groupRemoval,
  expansion("expand of an idle volume", false),
  expansion("expand of an active volume", true),
  extension,
  firstStage,
  lastUse,
];
