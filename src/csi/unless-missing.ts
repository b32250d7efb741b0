import { isError } from "../errors.ts";

/** For what is done when its object is gone: deletions, unpublishing, unstaging. */
export async function unlessMissing(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isError(error, "not-found")) throw error;
  }
}
