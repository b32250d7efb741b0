/** What one program does: alone on a machine, or as one of the two parts under Kubernetes. Each has a configuration of its own. */
export const ROLES = ["standalone", "node", "controller"] as const;
export type Role = (typeof ROLES)[number];
