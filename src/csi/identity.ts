import type { Condition } from "../volumes/volumes.ts";
import type { PluginCapability, PluginCapability_Service_Type } from "./generated/csi.ts";
import type { Handlers } from "./handler.ts";
import { DRIVER_NAME } from "./options.ts";

const SERVICES: readonly PluginCapability_Service_Type[] = ["CONTROLLER_SERVICE", "VOLUME_ACCESSIBILITY_CONSTRAINTS", "GROUP_CONTROLLER_SERVICE"];
const CAPABILITIES: readonly PluginCapability[] = [...SERVICES.map((type) => ({ service: { type } })), { volumeExpansion: { type: "ONLINE" } }];

export interface IdentityParts {
  readonly version: string;
  /** Answered from memory: a probe never waits for the kernel. */
  readonly health: () => Condition;
}

export function identity({ version, health }: IdentityParts): Handlers<"csi.v1.Identity"> {
  return {
    GetPluginInfo: async () => ({ name: DRIVER_NAME, vendorVersion: version, manifest: {} }),
    GetPluginCapabilities: async () => ({ capabilities: CAPABILITIES }),
    Probe: async () => ({ ready: { value: !health().abnormal } }),
  };
}
