import { LeanClient } from "../lean-client.ts";
import { Driver } from "../../harness/driver.ts";
import { VolumeUser } from "../../demo/volume-user.ts";
import { timed } from "../statistics.ts";

/** Runs on a node of the cluster, beside its kubelet: what the same volumes cost without Kubernetes. Arguments: a disk, a folder, how many. */
const [disk = "", folder = "", count = "20"] = process.argv.slice(2);
const driver = await Driver.start(folder, {
  nodeName: "standalone",
  runDirectory: `${folder}/run`,
  log: { level: "warn" },
  pools: [{ name: "standalone", backing: { directLvm: { devices: [disk] } } }],
});
const client = new LeanClient(Driver.paths(folder).socket);
const user = new VolumeUser(client, folder);
const ids: string[] = [];
const create = await timed(Number(count), async (index) => ids.push(await user.create(`volume-${index}`, 64 * 1024 ** 2)));
const stage = await timed(ids.length, async (index) => user.stage(ids[index] ?? ""));
const publish = await timed(ids.length, async (index) => user.publish(ids[index] ?? ""));
for (const id of ids) await user.release(id);
await client.close();
await driver.stop();
process.stdout.write(`${JSON.stringify({ create, stage, publish })}\n`);
