import { writeApiPage } from "../chart/api-page.ts";
import { generateChart } from "../chart/generated.ts";
import { generate, GENERATED } from "../unit/proto/generator.ts";

/** The protocols' descriptors and types, after a change in proto/; parts of the chart and docs/api.md, after one in src/cluster/objects, a pool's options or alerts/. */
await generate(GENERATED);
await generateChart();
await writeApiPage();
