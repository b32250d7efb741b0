import { join } from "node:path";

/** Beside the catalogue, and where the disks are. */
export const copyPaths = (stateDirectory: string, directory: string | undefined): readonly string[] => [
  ...(directory === undefined ? [] : [join(directory, "catalog.copy.db")]),
  join(stateDirectory, "catalog.copy.db"),
];
