import { seeDisks } from "./direct-lvm-disks.ts";
import { markOf, poolTag, readMark, writeMark } from "./direct-lvm-mark.ts";
import { refused, type DirectLvmParts } from "./direct-lvm-parts.ts";

/**
 * Finds the volume group that was once made for a pool of this name, whose state directory does not know it, or has only
 * begun to: on record it is `importing` from then on, until `keepGroup`. Answers whether it was unknown; removing the mark undoes it.
 */
export async function importGroup(parts: DirectLvmParts): Promise<boolean> {
  const begun = await readMark(parts.stateDirectory);
  if (begun !== undefined) return begun.phase === "importing";
  const { groups } = await seeDisks(parts, []);
  const found = groups.flatMap(({ name, tags }) => {
    const mark = markOf(tags);
    return mark !== undefined && tags.includes(poolTag(parts.description.name)) ? [{ name, mark }] : [];
  });
  const [group] = found;
  if (group === undefined)
    throw refused(parts, "none of its disks is in a volume group that was made for it", "name its disks in the configuration, and its name as it was");
  if (found.length > 1)
    throw refused(parts, `several volume groups were made for it: ${found.map(({ name }) => name).join(", ")}`, "name the disks of one of them only");
  parts.logger.info("taking the pool's volume group", { group: group.name });
  await writeMark(parts.stateDirectory, { mark: group.mark, phase: "importing", added: [] });
  return true;
}

/** It is this machine's own from now on. */
export async function keepGroup({ stateDirectory }: Pick<DirectLvmParts, "stateDirectory">): Promise<void> {
  const mark = await readMark(stateDirectory);
  if (mark?.phase === "importing") await writeMark(stateDirectory, { ...mark, phase: "made" });
}
