import type { DeviceInfo, DeviceMapper, DeviceMapperVersions, ListedDevice, Target, TargetStatus } from "../../src/devicemapper/device-mapper.ts";
import { sectors } from "../../src/units.ts";
import type { SimulatedKernel } from "./kernel.ts";
import type { MappedDevice } from "./mapped-device.ts";
import type { SimulatedProcess } from "./process.ts";
import type { KernelTarget } from "./targets.ts";
import { WouldWait } from "./waiting.ts";

const VERSIONS = { linear: "1.5.0", error: "1.7.0", "thin-pool": "1.23.0", thin: "1.23.0" };

/** A process's device-mapper, on the simulated kernel. */
export class SimulatedDeviceMapper implements DeviceMapper {
  readonly #kernel: SimulatedKernel;
  readonly #process: SimulatedProcess;

  constructor(kernel: SimulatedKernel, process: SimulatedProcess) {
    this.#kernel = kernel;
    this.#process = process;
  }

  versions(): DeviceMapperVersions {
    return { interface: "4.50.0", targets: new Map(Object.entries(VERSIONS)) };
  }

  list(): readonly ListedDevice[] {
    return this.#process.look(() => this.#kernel.devices.map(({ name, uuid, major, minor }) => ({ name, uuid, major, minor })));
  }

  info(uuid: string): DeviceInfo | undefined {
    return this.#process.look(() => this.#kernel.find(uuid)?.info());
  }

  create(name: string, uuid: string): DeviceInfo {
    return this.#process.change("create", name, () => this.#kernel.create(name, uuid).info());
  }

  load(uuid: string, table: readonly Target[], options: { readonly readOnly?: boolean } = {}): void {
    this.#process.change("load", uuid, () => this.#kernel.load(uuid, table, options.readOnly === true));
  }

  clear(uuid: string): void {
    this.#process.change("clear", uuid, () => this.#kernel.device(uuid, "clear").clear());
  }

  suspend(uuid: string, { noFlush = false, skipFreeze = false }: { readonly noFlush?: boolean; readonly skipFreeze?: boolean } = {}): void {
    this.#process.change("suspend", uuid, () => atOnce(() => this.#kernel.device(uuid, "suspend").suspend({ noFlush, skipFreeze })));
  }

  resume(uuid: string): void {
    this.#process.change("resume", uuid, () => atOnce(() => this.#kernel.device(uuid, "resume").resume()));
  }

  remove(uuid: string, options: { readonly deferred?: boolean } = {}): void {
    this.#process.change("remove", uuid, () => this.#kernel.remove(uuid, options.deferred === true));
  }

  message(uuid: string, text: string): string {
    return this.#process.change(text.split(" ")[0] ?? "message", uuid, () => this.#kernel.message(uuid, text));
  }

  table(uuid: string): readonly Target[] {
    return this.#targets(uuid, "table", (target) => target.tableText()).map(({ text, ...line }) => ({ ...line, parameters: text }));
  }

  status(uuid: string, options: { readonly noFlush?: boolean } = {}): readonly TargetStatus[] {
    const flush = options.noFlush !== true;
    return this.#targets(uuid, "status", (target) => target.statusText({ flush })).map(({ text, ...line }) => ({ ...line, status: text }));
  }

  #targets(
    uuid: string,
    operation: string,
    text: (target: KernelTarget) => string,
  ): { start: Target["start"]; length: Target["length"]; type: string; text: string }[] {
    return this.#process.look(() => {
      const device: MappedDevice = this.#kernel.device(uuid, operation);
      let start = 0;
      return device.targets.map((target) => {
        const line = { start: sectors(start), length: sectors(target.length), type: target.type, text: text(target).trimEnd() };
        start += target.length;
        return line;
      });
    });
  }
}

/** A synchronous call that would sleep would never come back here, where all share one thread. */
function atOnce(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof WouldWait) throw new Error("this call would hang the thread that makes it", { cause: error });
    throw error;
  }
}
