import { stringify } from "yaml";

/** Kubernetes objects as people read them, and kubectl takes them. */
export const writeManifest = (objects: readonly object[]): string => objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
