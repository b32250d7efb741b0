import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureProgram } from "../apt.ts";
import { run } from "../command.ts";
import { API_SERVICE, CONTROL_PLANE } from "./addresses.ts";

/** Who somebody is to the API server. */
export interface Identity {
  readonly user: string;
  readonly group: string;
  /** Addresses at which it serves, `IP:10.99.0.1` or `DNS:kubernetes`. */
  readonly addresses?: readonly string[];
}

const DAYS = "30";
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];

/** A cluster's own authority, its files in a folder: `ca.crt`, and a `.crt` and a `.key` for everyone that it knows. */
export class Certificates {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(folder: string): Promise<Certificates> {
    await ensureProgram("openssl", ["openssl"]);
    const certificates = new Certificates(folder);
    await run([
      "openssl",
      "req",
      "-x509",
      ...KEY,
      "-days",
      DAYS,
      "-subj",
      "/CN=lab",
      "-keyout",
      certificates.key("ca"),
      "-out",
      certificates.certificate("ca"),
    ]);
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(certificates.key("accounts"), privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(certificates.certificate("accounts"), publicKey.export({ type: "spki", format: "pem" }));
    await certificates.issue("api", {
      user: "kube-apiserver",
      group: "lab",
      addresses: [`IP:${CONTROL_PLANE}`, `IP:${API_SERVICE}`, "IP:127.0.0.1", "DNS:kubernetes.default.svc"],
    });
    await certificates.issue("admin", { user: "admin", group: "system:masters" });
    return certificates;
  }

  certificate(name: string): string {
    return join(this.folder, `${name}.crt`);
  }

  key(name: string): string {
    return join(this.folder, `${name}.key`);
  }

  async issue(name: string, { user, group, addresses = [] }: Identity): Promise<void> {
    const names = addresses.length === 0 ? [] : ["-addext", `subjectAltName=${addresses.join(",")}`];
    const uses = ["-addext", "extendedKeyUsage=clientAuth,serverAuth", "-addext", "basicConstraints=CA:FALSE"];
    const authority = ["-CA", this.certificate("ca"), "-CAkey", this.key("ca")];
    const subject = ["-subj", `/O=${group}/CN=${user}`];
    await run([
      "openssl",
      "req",
      "-x509",
      ...authority,
      ...KEY,
      "-days",
      DAYS,
      ...subject,
      ...names,
      ...uses,
      "-keyout",
      this.key(name),
      "-out",
      this.certificate(name),
    ]);
  }
}
