import { checkout } from "../lab/checkout.ts";
import { putLockedPackage } from "../lab/locked-package.ts";

/** For the Dockerfile: what an image of an architecture (arm64, x64) needs that npm takes for its own architecture alone. */
const [architecture = ""] = process.argv.slice(2);
for (const name of [`node-linux-${architecture}`, `@koromix/koffi-linux-${architecture}`]) putLockedPackage(checkout, name);
