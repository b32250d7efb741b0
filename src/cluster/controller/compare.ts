import type { VolumeRecord } from "../../catalog/records.ts";
import { DmthinError } from "../../errors.ts";
import { bytes, formatBytes } from "../../units.ts";
import { nodeLabel } from "../../volumes/node-label.ts";
import type { SizeRange, VolumeWanted } from "../../volumes/volumes.ts";
import { differenceFrom, type Purpose } from "../../volumes/wanted.ts";
import type { ThinVolume } from "../objects/thin-volume.ts";
import { volumeRecord } from "./answers.ts";

const ANY_SIZE: SizeRange = { requiredBytes: 0n, limitBytes: undefined };

/** Whether the volume's node would do for what is asked. */
export const fits = ({ topology }: Pick<VolumeWanted, "topology">, nodeName: string): boolean =>
  topology === undefined || topology.requisite.length === 0 || topology.requisite.includes(nodeLabel(nodeName));

/**
 * How the volume of that name differs from what is asked for, in words. Of one that is not made yet, what it was asked for
 * stands for what it will be. Its node is not looked at: a volume stays where it was made, and that is what is answered.
 */
export function differenceOf(wanted: VolumeWanted, purpose: Purpose, volume: ThinVolume): string | undefined {
  const pool = volume.spec.poolName;
  if (volume.status.phase === "Ready") return differenceFrom(wanted, purpose, { record: volumeRecord(volume), pool });
  const { requiredBytes } = volume.spec;
  const comparable = requiredBytes === 0 ? { ...wanted, size: ANY_SIZE } : wanted;
  return differenceFrom(comparable, purpose, { record: asAsked(volume, wanted, purpose), pool });
}

function asAsked(volume: ThinVolume, { parameters: { mutable } }: VolumeWanted, purpose: Purpose): VolumeRecord {
  const { capabilities, filesystem, parameters, requiredBytes } = volume.spec;
  const isBlock = capabilities.every(({ access }) => access === "block");
  const { discardOnDelete = mutable.discardOnDelete ?? false, xfsNospaceMaxRetries = mutable.xfsNospaceMaxRetries ?? "auto" } = parameters;
  return {
    ...volumeRecord(volume),
    sizeBytes: bytes(requiredBytes),
    filesystem: { type: isBlock ? undefined : (filesystem ?? purpose.filesystem ?? "ext4"), state: "none" },
    parameters: { discardOnDelete, xfsNospaceMaxRetries },
  };
}

/** A size as objects can have it; what no pool could hold is refused before one is asked. Throws "out-of-range". */
export function storableSize({ requiredBytes, limitBytes }: SizeRange): { readonly requiredBytes: number; readonly limitBytes: number | undefined } {
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  const refuse = (reason: string): never => {
    throw new DmthinError({ code: "out-of-range", what: `a size of ${requiredBytes} bytes`, reason });
  };
  if (requiredBytes < 0n || (limitBytes !== undefined && limitBytes < 0n)) refuse("sizes are whole numbers of bytes from 0 to 2^63 - 1");
  if (limitBytes !== undefined && limitBytes < requiredBytes) refuse(`the limit of ${limitBytes} bytes is below what is required`);
  if (requiredBytes > largest) refuse(`no pool holds more than ${formatBytes(Number.MAX_SAFE_INTEGER)}`);
  return { requiredBytes: Number(requiredBytes), limitBytes: limitBytes === undefined || limitBytes > largest ? undefined : Number(limitBytes) };
}
