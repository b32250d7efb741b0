/** Where each worker's code lies among the sources; in the bundle all lie beside each other under the same names. */
const SOURCES = {
  "blocking-worker": "./blocking-worker.ts",
  "pool-worker": "../pool/worker/pool-worker.ts",
} as const;

export type WorkerName = keyof typeof SOURCES;

/** The file that a worker thread starts from, in the sources and in the bundle alike. */
export const workerEntry = (name: WorkerName): URL =>
  import.meta.url.endsWith(".ts") ? new URL(SOURCES[name], import.meta.url) : new URL(`./${name}.js`, import.meta.url);

/** For a worker that keeps nothing. */
export const SMALL_WORKER = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 24, stackSizeMb: 1 } as const;
