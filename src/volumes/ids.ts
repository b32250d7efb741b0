import { createHash } from "node:crypto";
import type { ObjectKind } from "../errors.ts";

/** RFC 4648, in lower case: 5 bits a character. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const ID_CHARACTERS = 26;
const ID = /^(vol|snap|group)-[a-z2-7]{26}$/;

/** Ids are derived, not drawn: the same name always names the same object, and any name fits into a device's. */
export const volumeId = (name: string): string => `vol-${digest(name)}`;
export const snapshotId = (name: string): string => `snap-${digest(name)}`;
export const groupId = (name: string): string => `group-${digest(name)}`;

/** The name of a group's snapshot of one of its sources. */
export const memberName = (groupName: string, sourceVolumeId: string): string => `${groupName}/${sourceVolumeId}`;

export const isVolumeId = (id: string): boolean => ID.exec(id)?.[1] === "vol";
export const isSnapshotId = (id: string): boolean => ID.exec(id)?.[1] === "snap";
export const isGroupId = (id: string): boolean => ID.exec(id)?.[1] === "group";

export function kindOfId(id: string): ObjectKind {
  if (id.startsWith("snap-")) return "snapshot";
  return id.startsWith("group-") ? "group snapshot" : "volume";
}

/** The first 130 bits of the name's SHA-256. */
function digest(name: string): string {
  let [text, bits, pending] = ["", 0, 0];
  for (const byte of createHash("sha256").update(name, "utf8").digest()) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((pending >> bits) & 31);
    }
    pending &= (1 << bits) - 1;
  }
  return text.slice(0, ID_CHARACTERS);
}
