import { absolutePath } from "./paths.ts";

/** What both roles under Kubernetes have. */
export const kubeconfig = () => absolutePath().optional().describe("A kubeconfig file, to run outside a pod. By default the pod's service account.");
