import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { API_PORT, CONTROL_PLANE, SERVICE_RANGE } from "./addresses.ts";
import { ApiClient } from "./api-client.ts";
import type { Certificates } from "./certificates.ts";
import { Daemon } from "./daemon.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { program, type ClusterTools } from "./tools.ts";

const READY_SECONDS = 180;
const LEADERS = ["kube-controller-manager", "kube-scheduler"];
const ETCD = "http://127.0.0.1:2379";

/** etcd, API server, controller manager and scheduler, as processes of this machine. */
export class ControlPlane implements AsyncDisposable {
  /** The administrator's. */
  readonly api: ApiClient;
  /** The administrator's, a file. */
  readonly kubeconfig: string;
  readonly #daemons: ReadonlyMap<string, Daemon>;

  private constructor(api: ApiClient, kubeconfigFile: string, daemons: readonly Daemon[]) {
    this.api = api;
    this.kubeconfig = kubeconfigFile;
    this.#daemons = new Map(daemons.map((daemon) => [daemon.name, daemon]));
  }

  /**
   * @param folder its data, and a log of each program
   * @param auditPolicy what the API server tells of requests, one line each, in `audit.log` there; by default nothing
   */
  static async start(tools: ClusterTools, certificates: Certificates, folder: string, auditPolicy?: object): Promise<ControlPlane> {
    await mkdir(folder, { recursive: true });
    const config = join(folder, "admin.kubeconfig");
    await writeFile(config, await kubeconfig(certificates, "admin"));
    const programs = commands(certificates, config, folder);
    if (auditPolicy !== undefined) programs["kube-apiserver"].push(...(await auditing(folder, auditPolicy)));
    const daemons = Object.entries(programs).map(([name, args]) => new Daemon(name, [program(tools, name), ...args], join(folder, `${name}.log`)));
    const plane = new ControlPlane(await ApiClient.create(certificates, "admin"), config, daemons);
    for (const name of ["etcd", "kube-apiserver"]) plane.daemon(name).start();
    await plane.ready();
    for (const name of LEADERS) plane.daemon(name).start();
    return plane;
  }

  daemon(name: string): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) throw new Error(`the control plane has no ${name}`);
    return daemon;
  }

  /** Waits until the API server says that it is ready. */
  async ready(): Promise<void> {
    for (let tries = 0; tries < READY_SECONDS * 4; tries += 1) {
      this.daemon("etcd").assertRunning();
      this.daemon("kube-apiserver").assertRunning();
      if (
        await this.api.get("/readyz").then(
          () => true,
          () => false,
        )
      )
        return; // prettier: one line says it
      await sleep(250);
    }
    throw new Error(`the API server is not ready after ${READY_SECONDS} s`);
  }

  /** Those that lead by a lease of its own end with it, as everywhere: they would have lost it. */
  async stopApiServer(): Promise<void> {
    for (const name of ["kube-apiserver", ...LEADERS]) await this.daemon(name).kill();
  }

  async startApiServer(): Promise<void> {
    this.daemon("kube-apiserver").start();
    await this.ready();
    for (const name of LEADERS) this.daemon(name).start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.values()) await daemon.kill();
  }
}

async function auditing(folder: string, policy: object): Promise<readonly string[]> {
  const file = join(folder, "audit-policy.json");
  await writeFile(file, JSON.stringify(policy));
  return [`--audit-policy-file=${file}`, `--audit-log-path=${join(folder, "audit.log")}`];
}

function commands(certificates: Certificates, config: string, folder: string) {
  return {
    etcd: [
      `--data-dir=${folder}/etcd`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      "--listen-peer-urls=http://127.0.0.1:2380",
      "--unsafe-no-fsync", // nothing of it outlives this process
    ],
    "kube-apiserver": [
      `--etcd-servers=${ETCD}`,
      "--bind-address=0.0.0.0",
      `--advertise-address=${CONTROL_PLANE}`,
      `--secure-port=${API_PORT}`,
      `--tls-cert-file=${certificates.certificate("api")}`,
      `--tls-private-key-file=${certificates.key("api")}`,
      `--client-ca-file=${certificates.certificate("ca")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${certificates.certificate("accounts")}`,
      `--service-account-signing-key-file=${certificates.key("accounts")}`,
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      `--kubelet-client-certificate=${certificates.certificate("admin")}`,
      `--kubelet-client-key=${certificates.key("admin")}`,
      `--kubelet-certificate-authority=${certificates.certificate("ca")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--allow-privileged=true",
    ],
    "kube-controller-manager": [
      `--kubeconfig=${config}`,
      `--service-account-private-key-file=${certificates.key("accounts")}`,
      `--root-ca-file=${certificates.certificate("ca")}`,
      "--use-service-account-credentials=true",
      "--leader-elect=false",
    ],
    "kube-scheduler": [`--kubeconfig=${config}`, "--leader-elect=false"],
  };
}
