import { seeDisks } from "./direct-lvm-disks.ts";
import { markOf, poolTag, readMark, writeMark } from "./direct-lvm-mark.ts";
import { refused, type DirectLvmParts } from "./direct-lvm-parts.ts";

/** Makes the volume group that was once made for a pool of this name this machine's own, whose state directory does not know it. Answers whether it was not yet; `forgetGroup` undoes it. */
export async function importGroup(parts: DirectLvmParts): Promise<boolean> {
  if ((await readMark(parts.stateDirectory)) !== undefined) return false;
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
  await writeMark(parts.stateDirectory, { mark: group.mark, phase: "made", added: [] });
  return true;
}
