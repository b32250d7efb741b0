import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { describeApiServer } from "./api-contract.ts";

describeApiServer("the simulation", async () => ({ server: new SimulatedApiServer(), close: async () => undefined }));
