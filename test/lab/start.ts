import { Guest, type GuestOptions } from "./guest.ts";
import { kernel } from "./kernel.ts";
import { userland } from "./userland.ts";
import { machineWith } from "./machine.ts";

/** Builds what guests are made of, where that is not there yet: tests that wait for a guest should not wait for that as well. */
export async function prepareLab(): Promise<void> {
  await kernel(await userland());
}

/**
 * Boots a guest (about 2 s) and starts its command; the first call on a computer builds userland and kernel (minutes).
 * To boot again after a power cut, start another one with the same disks.
 */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const tree = await userland();
  return new Guest(await machineWith(tree, await kernel(tree)), options);
}
