/**
 * Resolves when these streams have handed on all that was written to them, or nobody reads them any more. A pipe takes
 * 64 KiB and then as fast as it is read: `process.exit` drops the rest.
 */
export async function written(streams: readonly NodeJS.WritableStream[]): Promise<void> {
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
}
