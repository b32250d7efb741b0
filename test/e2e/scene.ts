import { strict as assert } from "node:assert";
import { CommandFailed } from "../lab/command.ts";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { say } from "../lab/progress.ts";
import { isTrue, type ApiObject, type Fields } from "../lab/cluster/objects.ts";
import { DATA, DEVICE } from "./manifests.ts";

/** The kinds that cases look at, by the name that kubectl has for them. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  pod: "/api/v1/namespaces/NAMESPACE/pods",
  pvc: "/api/v1/namespaces/NAMESPACE/persistentvolumeclaims",
  events: "/api/v1/namespaces/NAMESPACE/events",
  statefulset: "/apis/apps/v1/namespaces/NAMESPACE/statefulsets",
  volumesnapshot: "/apis/snapshot.storage.k8s.io/v1/namespaces/NAMESPACE/volumesnapshots",
  volumegroupsnapshot: "/apis/groupsnapshot.storage.k8s.io/v1/namespaces/NAMESPACE/volumegroupsnapshots",
  namespace: "/api/v1/namespaces",
  node: "/api/v1/nodes",
  pv: "/api/v1/persistentvolumes",
  volumesnapshotcontent: "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents",
  volumegroupsnapshotcontent: "/apis/groupsnapshot.storage.k8s.io/v1/volumegroupsnapshotcontents",
  thinpool: "/apis/dmthin.io/v1alpha1/thinpools",
  nodethinpool: "/apis/dmthin.io/v1alpha1/nodethinpools",
  thinvolume: "/apis/dmthin.io/v1alpha1/thinvolumes",
  thinsnapshot: "/apis/dmthin.io/v1alpha1/thinsnapshots",
  thinsnapshotgroup: "/apis/dmthin.io/v1alpha1/thinsnapshotgroups",
};

const PATIENCE_SECONDS = 240;
/** Longer waits are told of: what makes the cases long should be seen. */
const TOLD_SECONDS = 10;

/** Where one case plays: a namespace, and the words that cases are told in. */
export class Scene {
  readonly cluster: Cluster;
  readonly namespace: string;

  constructor(cluster: Cluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  async apply(...objects: readonly object[]): Promise<void> {
    await this.cluster.apply(objects, this.namespace);
  }

  /** Waits for something of the objects of a kind. */
  async until<T>(kind: string, what: string, condition: (objects: readonly ApiObject[]) => T | undefined, seconds = PATIENCE_SECONDS): Promise<T> {
    const path = COLLECTIONS[kind]?.replace("NAMESPACE", this.namespace);
    assert(path, `no collection ${kind}`);
    const begun = Date.now();
    const found = await this.cluster.api.until(path, condition, { what: `${what} in ${this.namespace}`, seconds });
    const waitedSeconds = (Date.now() - begun) / 1000;
    if (waitedSeconds > TOLD_SECONDS) say(`${this.namespace}: waited ${waitedSeconds.toFixed(0)} s for: ${what}`);
    return found;
  }

  /** Waits until one object is as wanted, and answers it. */
  async untilIs(kind: string, name: string, what: string, condition: (object: ApiObject) => boolean, seconds = PATIENCE_SECONDS): Promise<ApiObject> {
    return this.until(kind, `${kind} ${name} ${what}`, (objects) => objects.find((one) => one.metadata.name === name && condition(one)), seconds);
  }

  /** Waits for pods to be Ready, and answers the node of the last one. */
  async ready(...pods: readonly string[]): Promise<string> {
    let node = "";
    for (const name of pods) {
      const found = await this.untilIs("pod", name, "Ready", (object) => isTrue(object, "Ready"));
      node = String(found.spec?.nodeName);
    }
    return node;
  }

  async bound(...claims: readonly string[]): Promise<void> {
    for (const name of claims) await this.untilIs("pvc", name, "Bound", (object) => object.status?.phase === "Bound");
  }

  /** Asks for a larger claim. */
  async expand(claimName: string, size: string): Promise<void> {
    await this.kubectl("patch", "pvc", claimName, "--patch", JSON.stringify({ spec: { resources: { requests: { storage: size } } } }));
  }

  async expanded(claimName: string, size: string): Promise<void> {
    await this.untilIs("pvc", claimName, `has ${size}`, ({ status }) => (status?.["capacity"] as Fields | undefined)?.["storage"] === size);
  }

  async snapshotReady(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.untilIs("volumesnapshot", name, "ready to use", (object) => object.status?.["readyToUse"] === true);
  }

  /** Deletes an object and waits until it is gone. */
  async remove(kind: string, ...names: readonly string[]): Promise<void> {
    await this.kubectl("delete", kind, ...names, "--wait=false");
    await this.gone(kind, ...names);
  }

  async gone(kind: string, ...names: readonly string[]): Promise<void> {
    await this.until(kind, `${kind} ${names.join(", ")} gone`, (objects) => objects.every((one) => !names.includes(one.metadata.name)) || undefined);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.cluster.kubectl(["--namespace", this.namespace, ...args]);
  }

  describe(kind: string, name: string): Promise<string> {
    return this.kubectl("describe", kind, name);
  }

  /** Runs a script in a pod. */
  async sh(pod: string, script: string): Promise<string> {
    return this.cluster.exec(pod, ["sh", "-c", `set -e; ${script}`], { namespace: this.namespace });
  }

  /** Runs a script in a pod that must fail; answers what it said. */
  async shFails(pod: string, script: string): Promise<string> {
    const said = await this.sh(pod, script).catch((error: unknown) => {
      if (error instanceof CommandFailed) return { failure: error.output };
      throw error;
    });
    assert(typeof said !== "string", `in ${pod} this did not fail: ${script}`);
    return said.failure;
  }

  /** Fills a file with what nobody else writes, synced to the disk. @returns its checksum */
  async write(pod: string, file = `${DATA}/file`, mebibytes = 4): Promise<string> {
    return checksum(await this.sh(pod, `head -c ${mebibytes * 2 ** 20} /dev/urandom > ${file}; sync; sha256sum < ${file}`));
  }

  async sum(pod: string, file = `${DATA}/file`): Promise<string> {
    return checksum(await this.sh(pod, `sha256sum < ${file}`));
  }

  /** Fills the beginning of a block volume. @returns its checksum */
  async writeDevice(pod: string, device = DEVICE, mebibytes = 4): Promise<string> {
    await this.sh(pod, `head -c ${mebibytes * 2 ** 20} /dev/urandom | dd of=${device} bs=1M conv=fsync`);
    return this.sumDevice(pod, device, mebibytes);
  }

  async sumDevice(pod: string, device = DEVICE, mebibytes = 4): Promise<string> {
    return checksum(await this.sh(pod, `head -c ${mebibytes * 2 ** 20} ${device} | sha256sum`));
  }

  /** The driver's id of a claim's volume. */
  async volumeId(claimName: string): Promise<string> {
    const bound = await this.untilIs("pvc", claimName, "Bound", (object) => object.status?.phase === "Bound");
    const volume = await this.untilIs("pv", String(bound.spec?.["volumeName"]), "there", () => true);
    return String(field(volume.spec, "csi", "volumeHandle"));
  }

  /** Waits for an event about an object whose message matches. */
  async event(kind: string, name: string, message: RegExp): Promise<void> {
    await this.until("events", `an event of ${kind} ${name} like ${message.source}`, (events) => {
      const about = events.filter((event: ApiEvent) => event.involvedObject?.kind === kind && event.involvedObject.name === name);
      return about.some((event: ApiEvent) => message.test(event.message ?? "")) || undefined;
    });
  }
}

/** What is at a path in an object's fields. @throws AssertionError when there is nothing */
export function field(fields: Fields | undefined, ...path: readonly string[]): unknown {
  const value = path.reduce<unknown>((at, name) => (at as Fields | undefined)?.[name], fields);
  assert(value !== undefined, `no field ${path.join(".")} in ${JSON.stringify(fields)}`);
  return value;
}

interface ApiEvent extends ApiObject {
  readonly involvedObject?: { readonly kind: string; readonly name: string };
  readonly message?: string;
}

function checksum(output: string): string {
  const found = /^[0-9a-f]{64}/.exec(output)?.[0];
  assert(found, `no checksum: ${output}`);
  return found;
}
