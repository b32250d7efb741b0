import { expect } from "@jest/globals";
import { parse } from "yaml";
import type { Manifest } from "./helm.ts";

/** What tests look at in what helm renders. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly livenessProbe?: object;
  readonly readinessProbe?: object;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly mountPropagation?: string; readonly readOnly?: boolean }[];
}
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
  readonly serviceAccountName: string;
  readonly hostPID?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations: readonly { readonly key?: string; readonly operator: string }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly priorityClassName: string;
}
export interface Workload extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly updateStrategy?: object;
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
}
export interface Role extends Manifest {
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

export const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === name);
  expect(found).toHaveLength(1);
  const [only] = found;
  if (only === undefined) throw new Error(`there is no ${kind} ${name}`);
  return only;
};
export const kinds = (manifests: readonly Manifest[], kind: string): readonly string[] =>
  manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
export const pod = (manifests: readonly Manifest[], kind: string, name: string): PodSpec => (find(manifests, kind, name) as Workload).spec.template.spec;
export const container = ({ containers }: PodSpec, name: string): Container => {
  const found = containers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  return found;
};
export const config = (manifests: readonly Manifest[], name: string): unknown =>
  parse((find(manifests, "ConfigMap", name) as Manifest & { data: Record<string, string> }).data["config.yaml"] ?? "");
