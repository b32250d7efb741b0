import type { MutableParameters } from "../../catalog/records.ts";
import { quote } from "../../config/wording.ts";
import { MAX_NOSPACE_RETRIES } from "../../filesystem/xfs-retries.ts";
import type { ClaimWanted, VolumeParameters } from "../../volumes/volumes.ts";
import { parseFilesystemType } from "./capability.ts";
import { checkMap, type StringMap } from "./fields.ts";
import type { Problems } from "./problems.ts";

/** The sidecars' own, which pass: of these only the filesystem's type and the claim are ours to read. */
const SIDECARS = "csi.storage.k8s.io/";
const FILESYSTEM = `${SIDECARS}fstype`;
/** Source: external-provisioner, --extra-create-metadata. */
const CLAIM = { name: `${SIDECARS}pvc/name`, namespace: `${SIDECARS}pvc/namespace` };
const MUTABLE = ["discardOnDelete", "xfsNospaceMaxRetries"] as const;
const KNOWN = ["pool", FILESYSTEM, "mkfsOptions", ...MUTABLE] as const;

/** A StorageClass's parameters; those of `mutable` go before the same ones in `parameters`. */
export function parseParameters(parameters: StringMap, mutable: StringMap, problems: Problems): VolumeParameters {
  checkMap("parameters", parameters, problems);
  refuseUnknown("parameter", parameters, KNOWN, problems);
  const { pool } = parameters;
  if (pool === "") problems.add("parameter pool is empty: leave it out for the default pool");
  return {
    pool,
    filesystem: parseFilesystemType(`parameter ${FILESYSTEM}`, parameters[FILESYSTEM] ?? "", problems),
    mkfsOptions: parseMkfsOptions(parameters["mkfsOptions"] ?? "", problems),
    mutable: { ...mutableOf(parameters, problems), ...parseMutableParameters(mutable, problems) },
  };
}

/** The claim that a volume is for, when the provisioner says it. */
export function parseClaim(parameters: StringMap): ClaimWanted | undefined {
  const { [CLAIM.name]: name = "", [CLAIM.namespace]: namespace = "" } = parameters;
  return name === "" || namespace === "" ? undefined : { namespace, name };
}

/** A VolumeAttributesClass's parameters. What is absent changes nothing. */
export function parseMutableParameters(mutable: StringMap, problems: Problems): Partial<MutableParameters> {
  checkMap("mutable_parameters", mutable, problems);
  refuseUnknown("mutable parameter", mutable, MUTABLE, problems);
  return mutableOf(mutable, problems);
}

/** Snapshots have none of their own. */
export function checkSnapshotParameters(parameters: StringMap, problems: Problems): void {
  checkMap("parameters", parameters, problems);
  refuseUnknown("parameter", parameters, [], problems);
}

function refuseUnknown(what: string, given: StringMap, known: readonly string[], problems: Problems): void {
  const list = known.length === 0 ? "there are none" : `there are ${known.join(", ")}`;
  for (const key of Object.keys(given)) {
    if (!known.includes(key) && !key.startsWith(SIDECARS)) problems.add(`${what} ${quote(key)} is not known: ${list}`);
  }
}

function mutableOf(given: StringMap, problems: Problems): Partial<MutableParameters> {
  const { discardOnDelete: discard, xfsNospaceMaxRetries: retries } = given;
  return {
    ...(discard === undefined ? {} : { discardOnDelete: parseBoolean("discardOnDelete", discard, problems) }),
    ...(retries === undefined ? {} : { xfsNospaceMaxRetries: parseRetries(retries, problems) }),
  };
}

function parseBoolean(name: string, text: string, problems: Problems): boolean {
  if (text !== "true" && text !== "false") problems.add(`parameter ${name} is ${quote(text)}: say "true" or "false"`);
  return text === "true";
}

/** -1 is for ever, as the kernel has it. */
function parseRetries(text: string, problems: Problems): number | "auto" {
  if (text === "auto") return text;
  const count = /^(-1|\d{1,10})$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MAX_NOSPACE_RETRIES)) {
    problems.add(`parameter xfsNospaceMaxRetries is ${quote(text)}: say "auto", or a number from -1 (for ever) to ${MAX_NOSPACE_RETRIES}`);
  }
  return count;
}

/** Separated by blanks; one argument each. */
function parseMkfsOptions(text: string, problems: Problems): readonly string[] {
  if (text.includes("\0")) problems.add("parameter mkfsOptions contains a NUL");
  return text.split(/\s+/).filter((option) => option !== "");
}
