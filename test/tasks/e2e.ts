import { join } from "node:path";
import { csiSanity } from "../conformance/csi-sanity.ts";
import { runProgram } from "../harness/part.ts";
import { testCommand } from "../harness/test-command.ts";
import { nodeBinary } from "../lab/checkout.ts";
import { prepareCluster } from "../lab/cluster/cluster.ts";
import { inOwnNamespaces } from "../lab/cluster/own-namespaces.ts";
import { productImage } from "../lab/cluster/product-image.ts";
import { ALL } from "../e2e/choice.ts";

const words = process.argv.slice(2);

const cases = {
  name: "the chart and the image on a real Kubernetes",
  run: async () => {
    const image = await productImage();
    await prepareCluster([image]);
    await csiSanity();
    const { failed } = await runProgram([nodeBinary, join(import.meta.dirname, "build.ts")]);
    if (failed > 0) throw new Error("the driver cannot be built");
    return runProgram(inOwnNamespaces(join(import.meta.dirname, "../e2e/run.ts"), [image, ...words]));
  },
};

await testCommand([cases], {
  root: true,
  words: `After -- it takes words of cases' names, and runs only those; ${ALL}: also those that are left out because they take minutes.`,
});
