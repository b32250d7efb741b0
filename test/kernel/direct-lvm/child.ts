import { openPool, type Wish } from "./rig.ts";

/** A driver that brings the pool up, and is killed in a step of it, where one is named: "after pvcreate". */
const { state, wish, killedIn } = JSON.parse(process.argv[2] ?? "") as { readonly state: string; readonly wish: Wish; readonly killedIn?: string };
const steps: string[] = [];
const told: string[] = [];
try {
  const pool = await openPool(state, wish, {
    told,
    observe: (transition, step, moment) => {
      if (transition !== "provision") return;
      process.stdout.write(`${moment} ${step}\n`);
      if (moment === "after") steps.push(step);
      if (`${moment} ${step}` === killedIn) process.kill(process.pid, "SIGKILL");
    },
  });
  process.stdout.write(`ready ${steps.join(" ")}\n`);
  await pool.close(10_000);
} catch (error) {
  process.stdout.write(`failed: ${String(error)}\n${told.join("\n")}\n`);
}
process.kill(process.pid, "SIGTERM"); // threads of its are left to the kernel
