import { expect, test } from "@jest/globals";
import type { VolumeRecord } from "../../../src/catalog/records.ts";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { XfsFollower } from "../../../src/volumes/xfs-follower.ts";

const volume = (name: string, minor: number, type: "xfs" | "ext4", retries: number | "auto" = "auto") => ({
  minor,
  record: {
    kind: "volume",
    id: volumeId(name),
    filesystem: { type, state: "formatted" },
    parameters: { discardOnDelete: false, xfsNospaceMaxRetries: retries },
    staging: { path: `/staged/${name}` },
  } as unknown as VolumeRecord,
});

/** Volumes that are mounted, of a pool whose writes wait or fail; what the kernel was told is in `told`. */
class Node {
  readonly told: [number, number | "default"][] = [];
  readonly #volumes;
  queues = true;
  failing = false;

  constructor(volumes: readonly ReturnType<typeof volume>[]) {
    this.#volumes = volumes;
  }

  follower(): XfsFollower {
    const mounts = async () => this.#volumes.map(({ minor, record }) => ({ target: record.staging?.path ?? "", major: 254, minor, root: "/" }));
    const filesystems: Partial<Record<keyof Filesystems, unknown>> = {
      mounts,
      deviceIdentity: async (_: number, minor: number) => ({ uuid: `DMTHIN-x-${this.#volumes.find((each) => each.minor === minor)?.record.id}` }),
      setXfsNospaceRetries: async (_: number, minor: number, retries: number | "default") => this.#set(minor, retries),
    };
    const figures = () => ({ queuesWhenFull: this.queues });
    const thins = new Map(this.#volumes.map(({ record }) => [record.id, record]));
    const pool = { view: { thins, get figures() { return figures(); } } } as unknown as Pool; // prettier-ignore
    return new XfsFollower({ pools: [pool], filesystems: filesystems as unknown as Filesystems, logger: silentLogger });
  }

  #set(minor: number, retries: number | "default"): void {
    if (this.failing) throw new Error("it is just unmounted");
    this.told.push([minor, retries]);
  }
}

test("xfs in use is told when its pool's writes fail from now on, and when they wait again; nothing else is", async () => {
  const node = new Node([volume("a", 1, "xfs"), volume("b", 2, "ext4"), volume("c", 3, "xfs", 5)]);
  const follower = node.follower();
  await follower.look();
  node.queues = false;
  await follower.look();
  await follower.look();
  node.queues = true;
  await follower.look();
  await follower.close();
  expect(node.told).toEqual([
    [1, "default"],
    [3, 5],
    [1, 0],
    [1, "default"],
  ]);
});

test("what could not be told is told at the next look", async () => {
  const node = new Node([volume("a", 1, "xfs")]);
  const follower = node.follower();
  node.failing = true;
  await follower.look();
  node.failing = false;
  await follower.look();
  await follower.close();
  expect(node.told).toEqual([[1, "default"]]);
});
