import { generateChart } from "../chart/generated.ts";
import { generate, GENERATED } from "../unit/proto/generator.ts";

/** The protocols' descriptors and types, after a change in proto/; parts of the chart, after one in src/cluster/objects, a pool's options or alerts/. */
await generate(GENERATED);
await generateChart();
