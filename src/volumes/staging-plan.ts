import type { ThinRecord } from "../catalog/records.ts";
import type { Probed } from "../filesystem/filesystems.ts";

/** What staging does with a volume's device before it is mounted. */
export type StagingPlan =
  | { readonly kind: "format" }
  | { readonly kind: "use" }
  /** It holds something else than it should: nothing is done to it. */
  | { readonly kind: "refuse"; readonly expected: string; readonly found: string };

/** Whether the answer depends on what is on the device. */
export const needsProbe = (filesystem: ThinRecord["filesystem"], device: { readonly empty: boolean }): boolean =>
  filesystem.state === "formatted" || (filesystem.state === "none" && !device.empty);

/**
 * mkfs only where nothing can be lost: nothing was ever mapped, or our own mkfs did not end. `probed` is blkid's word
 * on what needs a probe; that it finds nothing never means that there is nothing.
 */
export function stagingPlan(filesystem: ThinRecord["filesystem"], device: { readonly empty: boolean }, probed: Probed | undefined): StagingPlan {
  const found = probed === undefined ? "nothing that can be recognised" : probed.type;
  switch (filesystem.state) {
    case "formatting":
      return { kind: "format" };
    case "none":
      return device.empty ? { kind: "format" } : { kind: "refuse", expected: "nothing, since it was never formatted,", found: probed?.type ?? "data" };
    case "formatted":
      return probed !== undefined && probed.type === filesystem.type
        ? { kind: "use" }
        : { kind: "refuse", expected: `the filesystem ${filesystem.type ?? "that was made on it"}`, found };
  }
}
