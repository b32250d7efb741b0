/** The cluster's network, which exists in a network namespace of its own: its numbers meet nobody else's. */
export const CONTROL_PLANE = "10.99.0.1";
/** The address of the Service `kubernetes`. Nothing translates addresses in a guest, so the API server has it for its own. */
export const API_SERVICE = "10.96.0.1";
export const API_PORT = 443;
export const SERVICE_RANGE = "10.96.0.0/16";
export const BRIDGE = "cluster";

export const nodeName = (index: number): string => `node-${index}`;
export const nodeAddress = (index: number): string => `10.99.0.${10 + index}`;
export const nodeMac = (index: number): string => `02:00:0a:63:00:${(10 + index).toString(16).padStart(2, "0")}`;
export const podRange = (index: number): string => `10.244.${index}.0/24`;
export const tapName = (index: number): string => `tap${index}`;

/** Where a node's agent listens, for who has the node's address. */
export const AGENT_PORT = 7000;
