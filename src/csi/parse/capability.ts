import type { AccessMode, Capability } from "../../catalog/records.ts";
import { quote } from "../../config/wording.ts";
import { FILESYSTEM_TYPES, type FilesystemType } from "../../filesystem/filesystems.ts";
import type { VolumeCapability, VolumeCapability_MountVolume } from "../generated/csi.ts";
import type { Problems } from "./problems.ts";

const MODES: Readonly<Record<AccessMode, true>> = {
  SINGLE_NODE_WRITER: true,
  SINGLE_NODE_READER_ONLY: true,
  SINGLE_NODE_SINGLE_WRITER: true,
  SINGLE_NODE_MULTI_WRITER: true,
};
const MAX_FLAGS_BYTES = 4096;

/**
 * Undefined when it cannot be had. `unsupported` gathers what is well said and cannot be done: to most calls that is as
 * wrong as what is badly said.
 */
export function parseCapability(field: string, capability: VolumeCapability | null, problems: Problems, unsupported = problems): Capability | undefined {
  if (capability === null) {
    problems.add(`${field} is missing`);
    return undefined;
  }
  const mode = parseMode(field, capability.accessMode?.mode, problems, unsupported);
  const { block, mount } = capability;
  if ((block ?? mount ?? undefined) === undefined) problems.add(`${field} says neither mount nor block`);
  const mountFlags = parseMountFlags(field, mount?.mountFlags ?? [], problems);
  const filesystem = mount ? parseFilesystem(field, mount, unsupported) : undefined;
  return mode === undefined ? undefined : { access: block ? "block" : "mount", filesystem, mountFlags, mode };
}

/** At least one. */
export function parseCapabilities(capabilities: readonly VolumeCapability[], problems: Problems, unsupported = problems): readonly Capability[] {
  if (capabilities.length === 0) problems.add("volume_capabilities is missing");
  return capabilities
    .map((capability, index) => parseCapability(`volume_capabilities[${index}]`, capability, problems, unsupported))
    .filter((capability) => capability !== undefined);
}

/** Undefined for the empty text, and for a type we cannot make. */
export function parseFilesystemType(field: string, type: string, problems: Problems): FilesystemType | undefined {
  const known = FILESYSTEM_TYPES.find((one) => one === type);
  if (known === undefined && type !== "") problems.add(`${field} ${quote(type)} is none of ${FILESYSTEM_TYPES.join(", ")}`);
  return known;
}

function parseFilesystem(field: string, { fsType, volumeMountGroup }: VolumeCapability_MountVolume, unsupported: Problems): FilesystemType | undefined {
  if (volumeMountGroup !== "") unsupported.add(`${field} asks for volume_mount_group, which this driver does not offer`);
  return parseFilesystemType(`${field}.mount.fs_type`, fsType, unsupported);
}

/** The mode as decoded may be a number: one that the protocol does not know. */
function parseMode(field: string, mode: string | number | undefined, problems: Problems, unsupported: Problems): AccessMode | undefined {
  if (mode === undefined || mode === "UNKNOWN") problems.add(`${field} has no access_mode`);
  else if (isOurs(mode)) return mode;
  else if (String(mode).startsWith("MULTI_NODE_")) unsupported.add(`${field} asks for ${mode}: a volume lives on one node, so ask for a SINGLE_NODE mode`);
  else unsupported.add(`${field} asks for access mode ${mode}, which is not known`);
  return undefined;
}

const isOurs = (mode: string | number): mode is AccessMode => Object.hasOwn(MODES, mode);

function parseMountFlags(field: string, flags: readonly string[], problems: Problems): readonly string[] {
  const size = flags.reduce((sum, flag) => sum + Buffer.byteLength(flag), 0);
  if (size > MAX_FLAGS_BYTES) problems.add(`${field}.mount.mount_flags has ${size} bytes: at most ${MAX_FLAGS_BYTES} are taken`);
  for (const flag of flags) {
    if (flag === "" || flag.includes("\0")) problems.add(`${field}.mount.mount_flags contains ${quote(flag)}, which is no option`);
  }
  return flags;
}
