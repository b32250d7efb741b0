/**
 * Why the Node that this runs on does not do; undefined: it does. `needed` is what the project is built for and brings,
 * `running` what there is, both as "26.10.0"; `arch` as Node calls it.
 */
export function unfitNode(running: string, needed: string, arch: string): string | undefined {
  const least = majorOf(needed);
  if (majorOf(running) >= least) return undefined;
  const folder = `node_modules/node-linux-${arch}/bin`;
  return `Node ${least} or newer is needed, and this is Node ${running}: put ${folder}, where "npm run build" has installed one, first in PATH, under sudo too`;
}

const majorOf = (version: string): number => Number.parseInt(version, 10);
