import { readFile } from "node:fs/promises";
import { API_PORT, CONTROL_PLANE } from "./addresses.ts";
import type { Certificates } from "./certificates.ts";

/** How one of those that the authority knows reaches the API server, its key included. JSON is YAML too. */
export async function kubeconfig(certificates: Certificates, name: string): Promise<string> {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "lab", cluster: { server: `https://${CONTROL_PLANE}:${API_PORT}`, "certificate-authority-data": await base64(certificates.certificate("ca")) } },
    ],
    users: [
      { name, user: { "client-certificate-data": await base64(certificates.certificate(name)), "client-key-data": await base64(certificates.key(name)) } },
    ],
    contexts: [{ name: "lab", context: { cluster: "lab", user: name } }],
    "current-context": "lab",
  });
}

const base64 = async (file: string): Promise<string> => (await readFile(file)).toString("base64");
