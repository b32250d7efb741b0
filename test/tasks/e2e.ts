import { join } from "node:path";
import { runProgram } from "../harness/part.ts";
import { testCommand } from "../harness/test-command.ts";
import { prepareCluster } from "../lab/cluster/cluster.ts";
import { inOwnNamespaces } from "../lab/cluster/own-namespaces.ts";
import { productImage } from "../lab/cluster/product-image.ts";

const words = process.argv.slice(2);

await testCommand(
  [
    {
      name: "the chart and the image on a real Kubernetes",
      run: async () => {
        const image = await productImage();
        await prepareCluster([image]);
        return runProgram(inOwnNamespaces(join(import.meta.dirname, "../e2e/run.ts"), [image, ...words]));
      },
    },
  ],
  { root: true, takesArguments: true },
);
