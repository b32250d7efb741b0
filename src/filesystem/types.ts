import { btrfs } from "./btrfs.ts";
import { ext4 } from "./ext4.ts";
import type { TypeOfFilesystem } from "./filesystem-type.ts";
import type { FilesystemType } from "./filesystems.ts";
import { xfs } from "./xfs.ts";

export const TYPES: Readonly<Record<FilesystemType, TypeOfFilesystem>> = { ext4, xfs, btrfs };
