import { generate, GENERATED } from "../unit/proto/generator.ts";

/** The protocols' descriptors and types, after a change in proto/. */
await generate(GENERATED);
