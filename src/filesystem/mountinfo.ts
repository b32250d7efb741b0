import { Buffer } from "node:buffer";
import type { Mount } from "./filesystems.ts";

/** A line of /proc/PID/mountinfo. */
export interface MountEntry extends Mount {
  /** What was mounted, as its filesystem tells it: "/dev/dm-3", "tmpfs". */
  readonly source: string;
}

/**
 * In the kernel's order: mounts that lie on others come after them. Lines of another shape are skipped.
 * Source: Documentation/filesystems/proc.rst, "/proc/<pid>/mountinfo".
 */
export const parseMountinfo = (text: string): readonly MountEntry[] => text.split("\n").flatMap((line) => parseLine(line) ?? []);

function parseLine(line: string): MountEntry | undefined {
  // id, parent, major:minor, root, target, options, any number of tags, "-", type, source, the filesystem's options
  const fields = line.split(" ");
  const separator = fields.indexOf("-", 6);
  const [, , device = "", root = "", target = "", own = ""] = fields;
  const [type = "", source = "", ofFilesystem = ""] = fields.slice(separator + 1);
  const [major, minor] = device.split(":").map(Number);
  if (separator === -1 || major === undefined || minor === undefined || Number.isNaN(major + minor)) return undefined;
  const options = [...new Set([...own.split(","), ...ofFilesystem.split(",")])].filter((option) => option !== "").map(unescape);
  const readOnly = options.includes("ro");
  return {
    target: unescape(target),
    root: unescape(root),
    major,
    minor,
    type: unescape(type),
    readOnly,
    // A read-only mount of a writable filesystem is told as both.
    options: options.filter((option) => !(readOnly && option === "rw")),
    source: unescape(source),
  };
}

/** Whether what is mounted at the path, or below it, is seen in other mount namespaces: the tags of the mount that holds it say "shared:N". */
export function isShared(text: string, path: string): boolean {
  const holding = text
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , , , target = ""]) => isBelow(path, unescape(target)))
    .reduce<readonly string[]>((best, fields) => ((fields[4] ?? "").length >= (best[4] ?? "").length ? fields : best), []);
  return holding.slice(6, holding.indexOf("-", 6)).some((tag) => tag.startsWith("shared:"));
}

const isBelow = (path: string, target: string): boolean => target !== "" && (path === target || path.startsWith(target === "/" ? "/" : `${target}/`));

/** Bytes as three octal digits, so that names of many bytes come back whole. */
function unescape(field: string): string {
  if (!field.includes("\\")) return field;
  const latin1 = Buffer.from(field, "utf8").toString("latin1");
  return Buffer.from(
    latin1.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    "latin1",
  ).toString("utf8");
}
