import { formatBytes } from "../units.ts";
import type { DriverUpkeep, ExtendTo } from "./driver-upkeep.ts";
import type { Terminal } from "./terminal.ts";

export interface Extensions {
  readonly addDevice: readonly string[] | undefined;
  readonly data: ExtendTo | undefined;
  readonly metadata: ExtendTo | undefined;
}

/** Disks first; then metadata, since data that it cannot map is of no use. Answers the exit code. */
export async function extendPool(driver: DriverUpkeep, pool: string, { addDevice, data, metadata }: Extensions, { output, error }: Terminal): Promise<number> {
  if (addDevice !== undefined) {
    await driver.addDevices(pool, addDevice);
    output.write(`added: ${addDevice.join(", ")}; add them to the pool's devices in the configuration, too\n`);
  }
  for (const [part, target] of [["metadata", metadata] as const, ["data", data] as const]) {
    if (target === undefined) continue;
    error.write(`Asking for pool ${pool} to have its ${part} made larger; volumes stay in use.\n`);
    const { fromBytes, toBytes } = await driver.extend(pool, part, target);
    const now = fromBytes === toBytes ? `as large already: ${formatBytes(toBytes)}` : `${formatBytes(toBytes)} now, ${formatBytes(fromBytes)} before`;
    output.write(`${part}: ${now}\n`);
  }
  return 0;
}
