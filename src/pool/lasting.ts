import type { Mailbox } from "./mailbox.ts";
import type { Workbench } from "./workbench.ts";

/**
 * A turn that lasts as long as what its work has started. LVM is never killed: who waits for it is answered at its deadline,
 * and what the turn keeps apart stays so until it has ended. The pool is told to be stuck meanwhile.
 */
export async function runLasting<Result>(
  queue: Mailbox,
  { parts, publish }: Pick<Workbench, "parts" | "publish">,
  work: () => Promise<Result>,
): Promise<Result> {
  const answer = Promise.withResolvers<Result>();
  void queue.run(async () => {
    try {
      answer.resolve(await work());
    } catch (error) {
      answer.reject(error);
      await endOfPrograms();
    }
  });
  return answer.promise;

  async function endOfPrograms(): Promise<void> {
    for (let left = parts.backing.leftAtWork?.(); left !== undefined; left = parts.backing.leftAtWork?.()) {
      publish({ kind: "stuck", stuck: { operation: left.operation, since: left.since } });
      await left.ended;
      publish({ kind: "stuck", stuck: undefined });
    }
  }
}
