import { connectApiServer } from "../../../src/cluster/api/connect.ts";
import { silentLogger } from "../../../src/logger.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { describeApiServer } from "./api-contract.ts";

/** A real one with the chart's CRDs, where a run names it: that of the contract does. */
const kubeconfig = process.env["API_CONTRACT_KUBECONFIG"];
if (kubeconfig === undefined) describeApiServer("the simulation", async () => ({ server: new SimulatedApiServer(), close: async () => undefined }));
else {
  describeApiServer("a real API server", async () => {
    const server = await connectApiServer({ kubeconfig, service: undefined, userAgent: "dmthin-contract", logger: silentLogger });
    return { server, close: async () => server.close() };
  });
}
