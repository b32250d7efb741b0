import type { ToClusterInfo } from "./driver-upkeep.ts";
import type { Terminal } from "./terminal.ts";

/** What makes a volume known to its cluster, for kubectl; what to do with it goes beside it, which a pipe does not have. Answers the exit code. */
export function printToCluster({ id, manifest, letGoFirst }: ToClusterInfo, { output, error }: Terminal): number {
  error.write(letGoFirst.length === 0 ? toCluster(id) : instead(letGoFirst));
  output.write(manifest);
  return 0;
}

const toCluster = (id: string): string => `The cluster has no ThinVolume of it. What follows makes it known: look it through, and give it to
"kubectl apply --namespace NAMESPACE -f -". Where there is a PersistentVolume with volumeHandle ${id} already,
give it the ThinVolume alone: two of them would let two pods write to one filesystem. Said again, this prints it again.
`;

const instead = (
  letGoFirst: readonly string[],
): string => `The cluster's ThinVolume of that name is another pool's, such as this one was before its catalogue was lost. Let go of it first:
${letGoFirst.map((command) => `  ${command}\n`).join("")}Then give what follows to "kubectl apply -f -": it takes that one's place, and PersistentVolume and claim go on with it.
Said again, this prints it again.
`;
