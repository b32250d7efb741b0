import type { DeviceMapper, Target } from "../devicemapper/device-mapper.ts";

/**
 * Gives a running device another table. The kernel may refuse at resume what it accepted at load, and then neither
 * clearing nor resuming helps: the old table goes back. A table brings its own mode: without it a read-only device could
 * be written from then on. The dead man's handle has to know of the device.
 */
export function replaceTable(dm: DeviceMapper, uuid: string, old: readonly Target[], wanted: readonly Target[]): void {
  const mode = { readOnly: dm.info(uuid)?.readOnly === true };
  dm.load(uuid, wanted, mode);
  try {
    dm.suspend(uuid, { noFlush: true, skipFreeze: true });
    dm.resume(uuid);
  } catch (error) {
    if (dm.info(uuid)?.suspended === true) {
      dm.load(uuid, old, mode);
      dm.resume(uuid);
    } else dm.clear(uuid);
    throw error;
  }
}
