import * as z from "zod";
import { poolDocument } from "../../config/pool-document.ts";
import {
  NODE_THIN_POOL_ADDITIONS,
  THIN_POOL_ADDITIONS,
  THIN_SNAPSHOT_ADDITIONS,
  THIN_SNAPSHOT_GROUP_ADDITIONS,
  THIN_VOLUME_ADDITIONS,
  type Additions,
} from "./crd-rules.ts";
import { COLUMNS, type Column } from "./crd-columns.ts";
import { NODE_THIN_POOL, THIN_POOL, THIN_SNAPSHOT, THIN_SNAPSHOT_GROUP, THIN_VOLUME } from "./kinds.ts";
import { GROUP, VERSION } from "./meta.ts";
import { nodeThinPoolSpec, nodeThinPoolStatus } from "./node-thin-pool.ts";
import { structuralSchema, withAddition, type StructuralSchema } from "./structural.ts";
import { clusterPoolSpec, thinPoolStatus } from "./thin-pool.ts";
import { thinSnapshotGroupSpec, thinSnapshotGroupStatus } from "./thin-snapshot-group.ts";
import { thinSnapshotSpec, thinSnapshotStatus } from "./thin-snapshot.ts";
import { thinVolumeSpec, thinVolumeStatus } from "./thin-volume.ts";

/** A CustomResourceDefinition. Source: apiextensions.k8s.io/v1. */
export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: "Cluster";
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly Version[];
  };
}

interface Version {
  readonly name: string;
  readonly served: true;
  readonly storage: true;
  readonly subresources: { readonly status: object };
  readonly additionalPrinterColumns: readonly Column[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
}

interface Definition {
  readonly names: { readonly kind: string; readonly plural: string };
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** What `kubectl get` shows before anybody has written a status. */
  readonly initialStatus?: object;
  readonly additions: Additions;
}

const PENDING = { phase: "Pending" };
/** Docker's words can say all of a pool, what it lies on too. */
export const thinPoolSpec = z.strictObject({ ...poolDocument.omit({ name: true }).partial({ backing: true }).shape, ...clusterPoolSpec });

const DEFINITIONS: readonly Definition[] = [
  {
    names: THIN_POOL,
    shortName: "tp",
    description: "A thin pool that every node it selects has: written by administrators. Each node's own is a NodeThinPool.",
    spec: thinPoolSpec,
    status: thinPoolStatus,
    additions: THIN_POOL_ADDITIONS,
  },
  {
    names: NODE_THIN_POOL,
    shortName: "ntp",
    description: "A ThinPool on one node: how it is, and what it holds. Written by that node.",
    spec: nodeThinPoolSpec,
    status: nodeThinPoolStatus,
    initialStatus: { ...PENDING, volumes: 0, snapshots: 0, orphans: 0 },
    additions: NODE_THIN_POOL_ADDITIONS,
  },
  {
    names: THIN_VOLUME,
    shortName: "tv",
    description: "A volume: a thin device in a node's pool. Made for a claim by the controller, carried out by the node.",
    spec: thinVolumeSpec,
    status: thinVolumeStatus,
    initialStatus: PENDING,
    additions: THIN_VOLUME_ADDITIONS,
  },
  {
    names: THIN_SNAPSHOT,
    shortName: "tsnap",
    description: "A snapshot of a ThinVolume, on the node that has both. It outlives its source.",
    spec: thinSnapshotSpec,
    status: thinSnapshotStatus,
    initialStatus: PENDING,
    additions: THIN_SNAPSHOT_ADDITIONS,
  },
  {
    names: THIN_SNAPSHOT_GROUP,
    shortName: "tsgroup",
    description: "Snapshots of several ThinVolumes of one pool, all at one moment.",
    spec: thinSnapshotGroupSpec,
    status: thinSnapshotGroupStatus,
    initialStatus: PENDING,
    additions: THIN_SNAPSHOT_GROUP_ADDITIONS,
  },
];

/** All our kinds, as the API server is told of them. Its schemas are those that the code reads with. */
export const customResourceDefinitions = (): readonly CustomResourceDefinition[] => DEFINITIONS.map(definitionOf);

function definitionOf(definition: Definition): CustomResourceDefinition {
  const { kind, plural } = definition.names;
  const hasNode = definition.names !== THIN_POOL;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    // An uninstalled chart leaves them: with the definitions all objects would go, and with these what nodes hold.
    metadata: { name: `${plural}.${GROUP}`, annotations: { "helm.sh/resource-policy": "keep" } },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames: [definition.shortName], categories: ["dmthin"] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS[kind] ?? [],
          ...(hasNode ? { selectableFields: [{ jsonPath: ".spec.nodeName" }] } : {}),
          schema: { openAPIV3Schema: schemaOf(definition) },
        },
      ],
    },
  };
}

function schemaOf({ description, spec, status, initialStatus, additions }: Definition): StructuralSchema {
  const schema: StructuralSchema = {
    description,
    type: "object",
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec: { ...structuralSchema(spec), description: "What is wanted." },
      status: { ...structuralSchema(status), description: "What is.", ...(initialStatus === undefined ? {} : { default: initialStatus }) },
    },
  };
  return Object.entries(additions).reduce((whole, [path, addition]) => withAddition(whole, path === "" ? [] : path.split("."), addition), schema);
}
