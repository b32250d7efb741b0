import { CRD_FILES, writeCrds } from "../chart/crd-files.ts";
import { generate, GENERATED } from "../unit/proto/generator.ts";

/** The protocols' descriptors and types, after a change in proto/; the objects' definitions, after one in src/cluster/objects or a pool's options. */
await generate(GENERATED);
await writeCrds(CRD_FILES);
