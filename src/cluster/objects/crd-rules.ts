import { DOCKER_OPTIONS } from "../../config/docker-options.ts";
import type { Rule, StructuralSchema } from "./structural.ts";

/**
 * What the API server itself refuses, in CEL. Bounds stand beside the lists and texts that rules compare: without them the
 * API server reckons with the largest that a request can hold, and refuses the rule as too costly.
 */
export type Additions = Readonly<Record<string, StructuralSchema>>;

/** A Kubernetes name or an id of ours; a CSI name, which the specification ends at 128 bytes. */
const NAME = 253;
const MAXIMUM_PATH = 512;
const MAXIMUM_DISKS = 128;
const MAXIMUM_OPTIONS = 32;
const MAXIMUM_GROUP = 256;

const never = (field: string): string => `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;
const neverChanges = (field: string, why: string): Rule => ({ rule: never(field), message: `${field} never changes: ${why}` });
const required = (field: string, why: string): Rule => ({ rule: `self.${field} == oldSelf.${field}`, message: `${field} never changes: ${why}` });
/** Sizes that the API server cannot read, such as "10GiB", may only stay as they are. */
const onlyGrows = (field: string): Rule => {
  const [now, before] = [`string(self.${field})`, `string(oldSelf.${field})`];
  return {
    rule: `!has(self.${field}) || !has(oldSelf.${field}) || self.${field} == oldSelf.${field} || (isQuantity(${now}) && isQuantity(${before}) && !quantity(${now}).isLessThan(quantity(${before})))`,
    message: `${field} may only grow, and is then written as 20Gi or in bytes`,
  };
};
const onlyAdded = (field: string): Rule => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || oldSelf.${field}.all(disk, disk in self.${field}))`,
  message: `${field} may only get more disks: what lies on those that are named does not move by itself; while no node has made the pool, delete the ThinPool and make it anew`,
});

const MADE = "the pool was made with it; make another ThinPool";
const PLACE = "a volume stays where it was made";
const PERCENTAGE: StructuralSchema = { pattern: String.raw`^\s*\d{1,3}(\.\d+)?\s*%\s*$`, maxLength: 16 };
/** Two of them, one each for data and metadata, are an object: the API server holds a pattern to text alone. */
const BELOW_100 = String.raw`^\s*\d{1,2}(\.\d+)?\s*%\s*$`;
const NAMED: StructuralSchema = { maxLength: NAME };
const PATH: StructuralSchema = { maxLength: MAXIMUM_PATH };
const BACKINGS = ["loop", "devices", "directLvm", "existing"] as const;

const givenBackings = (owner: string): string => `[${BACKINGS.map((kind) => `has(${owner}.${kind})`).join(", ")}]`;

/** Docker's options that say nothing of what the pool is made of. */
const FIXED = /^(backing\.|chunkSize$|zeroNewBlocks$)/;
const changing = Object.entries(DOCKER_OPTIONS)
  .filter(([, { becomes }]) => becomes !== undefined && !FIXED.test(becomes))
  .map(([name]) => name.replace(/^dm\./, ""));
const fixedOptions = (owner: string): string => `${owner}.storageOpts.filter(o, !o.matches('^dm[.](${changing.join("|")})='))`;

const THIN_POOL_RULES: readonly Rule[] = [
  {
    rule: "has(self.backing) || has(self.storageOpts)",
    message: `one of ${BACKINGS.map((kind) => `backing.${kind}`).join(", ")} is needed`,
  },
  { rule: "has(self.backing) == has(oldSelf.backing)", message: `backing never changes: ${MADE}` },
  neverChanges("chunkSize", MADE),
  neverChanges("zeroNewBlocks", MADE),
  {
    rule: `has(self.storageOpts) == has(oldSelf.storageOpts) && (!has(self.storageOpts) || ${fixedOptions("self")} == ${fixedOptions("oldSelf")})`,
    message: `of storageOpts only ${changing.map((name) => `dm.${name}`).join(", ")} may change: the pool was made with the others`,
  },
];

export const THIN_POOL_ADDITIONS: Additions = {
  "": {
    "x-kubernetes-validations": [
      {
        rule: "self.metadata.name.matches('^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$')",
        message: 'the name of a ThinPool has lower-case letters, digits and "-" inside, and at most 40 characters: devices are named after it',
      },
    ],
  },
  spec: { "x-kubernetes-validations": THIN_POOL_RULES },
  "spec.storageOpts": { maxItems: MAXIMUM_OPTIONS },
  "spec.storageOpts.[]": PATH,
  "spec.backing": {
    "x-kubernetes-validations": [
      { rule: `${givenBackings("self")}.filter(given, given).size() == 1`, message: `exactly one of ${BACKINGS.join(", ")} is needed` },
      { rule: `${givenBackings("self")} == ${givenBackings("oldSelf")}`, message: `what a pool lies on never changes: ${MADE}` },
    ],
  },
  "spec.backing.loop": { "x-kubernetes-validations": [required("directory", MADE), onlyGrows("dataSize"), onlyGrows("metadataSize")] },
  "spec.backing.loop.directory": PATH,
  "spec.backing.devices": { "x-kubernetes-validations": [required("data", MADE), required("metadata", MADE)] },
  "spec.backing.devices.data": PATH,
  "spec.backing.devices.metadata": PATH,
  "spec.backing.directLvm": {
    "x-kubernetes-validations": [
      onlyAdded("devices"),
      onlyAdded("metadataDevices"),
      neverChanges("volumeGroup", MADE),
      neverChanges("thinpPercent", MADE),
      neverChanges("thinpMetaPercent", MADE),
    ],
  },
  "spec.backing.directLvm.devices": { maxItems: MAXIMUM_DISKS },
  "spec.backing.directLvm.devices.[]": PATH,
  "spec.backing.directLvm.metadataDevices": { maxItems: MAXIMUM_DISKS },
  "spec.backing.directLvm.metadataDevices.[]": PATH,
  "spec.backing.directLvm.thinpPercent": PERCENTAGE,
  "spec.backing.directLvm.thinpMetaPercent": PERCENTAGE,
  "spec.backing.existing": { "x-kubernetes-validations": [required("pool", MADE)] },
  "spec.backing.existing.pool": PATH,
  "spec.minimumFree": { pattern: BELOW_100 },
  "spec.autoextendThreshold": PERCENTAGE,
  "spec.autoextendPercent": PERCENTAGE,
};

export const NODE_THIN_POOL_ADDITIONS: Additions = {
  spec: {
    "x-kubernetes-validations": [required("poolName", "another pool has an object of its own"), required("nodeName", "another node has an object of its own")],
  },
  "spec.poolName": NAMED,
  "spec.nodeName": NAMED,
};

/** Spec may be put back after an expansion that was not carried out, so it is the status that says what cannot shrink. */
const NO_SHRINKING: Rule = {
  rule: "self.spec.requiredBytes >= oldSelf.spec.requiredBytes || !has(self.status) || !has(self.status.sizeBytes) || oldSelf.spec.requiredBytes > self.status.sizeBytes",
  message: "a volume does not shrink: it has this size already",
};

export const THIN_VOLUME_ADDITIONS: Additions = {
  "": { "x-kubernetes-validations": [NO_SHRINKING] },
  spec: {
    "x-kubernetes-validations": [
      required("name", "a volume keeps its name"),
      required("nodeName", PLACE),
      required("poolName", PLACE),
      neverChanges("source", "what a volume is a copy of was decided when it was made"),
      neverChanges("filesystem", "a volume is formatted once"),
      neverChanges("mkfsOptions", "a volume is formatted once"),
      { rule: "!has(self.limitBytes) || self.limitBytes == 0 || self.limitBytes >= self.requiredBytes", message: "limitBytes is less than requiredBytes" },
    ],
  },
  "spec.name": NAMED,
  "spec.nodeName": NAMED,
  "spec.poolName": NAMED,
  "spec.source.id": NAMED,
  "spec.mkfsOptions": { maxItems: 128 },
  "spec.mkfsOptions.[]": { maxLength: 4096 },
};

const SNAPSHOT = "a snapshot shows one volume at one moment";
export const THIN_SNAPSHOT_ADDITIONS: Additions = {
  spec: { "x-kubernetes-validations": ["name", "sourceVolume", "nodeName", "poolName"].map((field) => required(field, SNAPSHOT)) },
  "spec.name": NAMED,
  "spec.sourceVolume": NAMED,
  "spec.nodeName": NAMED,
  "spec.poolName": NAMED,
};

const GROUP_SNAPSHOT = "a group shows its volumes at one moment";
export const THIN_SNAPSHOT_GROUP_ADDITIONS: Additions = {
  spec: { "x-kubernetes-validations": ["name", "sourceVolumes", "nodeName", "poolName"].map((field) => required(field, GROUP_SNAPSHOT)) },
  "spec.name": NAMED,
  "spec.nodeName": NAMED,
  "spec.poolName": NAMED,
  "spec.sourceVolumes": { maxItems: MAXIMUM_GROUP },
  "spec.sourceVolumes.[]": NAMED,
};
