import { join } from "node:path";
import { stringify } from "yaml";
import { checkout } from "../lab/checkout.ts";
import { EVERYTHING, NAMESPACE, renderText } from "./helm.ts";

export const MANIFESTS = join(checkout, "manifests");

const HEADER = '# The chart, rendered by "npm run manifests": charts/dmthin has what is to be changed.\n';
const namespace = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
};

const whole = async (apis: readonly string[]): Promise<string> => `${HEADER}${stringify(namespace)}${withoutJobs(await renderText({ apis, hooks: false }))}`;

/** The chart for those without helm, by file name. */
export async function renderedManifests(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["dmthin.yaml", await whole(EVERYTHING)],
    ["dmthin-without-snapshots.yaml", await whole([])],
  ]);
}

/** They are helm's to run, and so is their account. */
const withoutJobs = (text: string): string =>
  text
    .split(/^(?=---\n)/m)
    .filter((each) => !each.startsWith("---\n# Source: dmthin/templates/jobs/"))
    .join("");
