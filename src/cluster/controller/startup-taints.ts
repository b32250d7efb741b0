import { removeTaint } from "../api/core-objects.ts";
import type { ControllerParts } from "./parts.ts";
import type { Task } from "./tasks.ts";

/** A node that was registered with this taint gets no pods until its driver is ready. The nodes' own account may not change Nodes. */
export const startupTaints = ({ nodes, agents, logger }: ControllerParts, taint: string): Task => ({
  name: "startup taints",
  sources: [nodes.cache, agents],
  run: async (signal) => {
    for (const { metadata, spec } of nodes.cache.items.values()) {
      const isTainted = spec.taints.some(({ key }) => key === taint);
      if (!isTainted || agents.trouble(metadata.name) !== undefined) continue;
      const isRemoved = await removeTaint(nodes.api, metadata.name, taint, signal);
      if (isRemoved) logger.info("a node's driver is ready: its startup taint is taken away", { node: metadata.name, taint });
    }
  },
});
