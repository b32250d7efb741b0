import type { Target } from "../../src/devicemapper/device-mapper.ts";
import { sectors } from "../../src/units.ts";
import { SimulatedDisk, type BlockDevice } from "./disk.ts";
import { refusal } from "./errno.ts";
import { MappedDevice } from "./mapped-device.ts";
import type { PoolState } from "./pool-state.ts";
import { TableBuilder } from "./tables.ts";
import { ThinPoolTarget } from "./thin-pool.ts";

const LOOP_MAJOR = 7;
const LONGEST_NAME = 127;

/** One machine's kernel and disks. Processes come and go over it; a power cut leaves only the disks. */
export class SimulatedKernel {
  readonly #devices = new Set<MappedDevice>();
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #tables = new TableBuilder((name) => this.block(name));
  readonly #onPowerCut: (() => void)[] = [];
  bootId = 1;

  /** A new disk, blank. */
  addDisk(path: string, sizeBytes: number): SimulatedDisk {
    const disk = new SimulatedDisk(path, { major: LOOP_MAJOR, minor: this.#disks.size }, sizeBytes);
    this.#disks.set(path, disk);
    return disk;
  }

  disk(path: string): SimulatedDisk {
    const disk = this.#disks.get(path);
    if (disk === undefined) throw new Error(`there is no simulated disk ${path}`);
    return disk;
  }

  /** In the order of their names, as the kernel lists them. */
  get devices(): readonly MappedDevice[] {
    return [...this.#devices].toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** By path or "major:minor". */
  block(name: string): BlockDevice | undefined {
    const all: readonly BlockDevice[] = [...this.#devices, ...this.#disks.values()];
    return all.find((device) => device.path === name || `${device.major}:${device.minor}` === name);
  }

  find(uuid: string): MappedDevice | undefined {
    return this.devices.find((device) => device.uuid === uuid);
  }

  /** ENXIO when there is none. */
  device(uuid: string, operation: string): MappedDevice {
    const device = this.find(uuid);
    if (device === undefined) throw refusal(operation, uuid, "ENXIO");
    return device;
  }

  /** The lowest free minor is taken, also one that has just been let go. */
  create(name: string, uuid: string): MappedDevice {
    if (name === "" || name.includes("/") || name.length > LONGEST_NAME) throw refusal("create", name, "EINVAL");
    if (this.devices.some((device) => device.name === name || (uuid !== "" && device.uuid === uuid))) throw refusal("create", name, "EBUSY");
    let minor = 0;
    while (this.devices.some((device) => device.minor === minor)) minor++;
    const device: MappedDevice = new MappedDevice({ name, uuid, minor }, () => this.#destroyLater(device));
    this.#devices.add(device);
    return device;
  }

  load(uuid: string, lines: readonly Target[], readOnly: boolean): void {
    const device = this.device(uuid, "table load");
    if (lines.length === 0) throw refusal("table load", device.name, "EINVAL");
    device.load({ targets: lines.map((line) => this.#withRelease(device, line)), readOnly });
  }

  remove(uuid: string, deferred: boolean): void {
    const device = this.device(uuid, "remove");
    if (device.remove(deferred)) this.#destroy(device);
  }

  /** Messages that begin with @ are device-mapper's own. Source: drivers/md/dm-ioctl.c, message_for_md. */
  message(uuid: string, text: string): string {
    const device = this.device(uuid, "message");
    if (text.startsWith("@")) {
      if (text !== "@cancel_deferred_remove") throw refusal("message", text, "EINVAL");
      device.deferredRemove = false;
      return "";
    }
    const [target] = device.targets;
    if (target === undefined) throw refusal("message", text, "EINVAL");
    return target.message(text);
  }

  /** Of the pool device with this uuid. */
  pool(uuid: string): PoolState {
    const [target] = this.device(uuid, "pool").targets;
    if (!(target instanceof ThinPoolTarget)) throw new Error(`${uuid} is no active pool`);
    return target.pool;
  }

  /** Everything active is gone, and what no flush or message has committed; the disks stay. */
  powerCut(): void {
    for (const device of this.#devices) device.vanish();
    this.#devices.clear();
    this.#tables.forget();
    for (const disk of this.#disks.values()) disk.holders.forget();
    this.bootId++;
    for (const forget of this.#onPowerCut) forget();
  }

  /** What else lives in this machine's memory, such as its mounts. */
  onPowerCut(forget: () => void): void {
    this.#onPowerCut.push(forget);
  }

  #withRelease(device: MappedDevice, line: Target): ReturnType<TableBuilder["build"]> {
    const target = this.#tables.build(device, { ...line, start: sectors(line.start) });
    const destroy = target.destroy.bind(target);
    target.destroy = () => {
      destroy();
      this.#tables.release(target);
    };
    return target;
  }

  /** On its last close a device leaves the list at once, and lets go of what is below it a moment later, as in the kernel. */
  #destroyLater(device: MappedDevice): void {
    this.#devices.delete(device);
    setImmediate(() => device.destroy());
  }

  #destroy(device: MappedDevice): void {
    this.#devices.delete(device);
    device.destroy();
  }
}
