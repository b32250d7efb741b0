import { refusal } from "./errno.ts";
import type { PoolState } from "./pool-state.ts";

type Handler = (pool: PoolState, argument: (index: number) => number) => void;

/** Each with the number of its arguments. Source: drivers/md/dm-thin.c, pool_message. */
const HANDLERS: Readonly<Record<string, { readonly arguments: number; readonly run: Handler }>> = {
  create_thin: { arguments: 1, run: ({ metadata }, argument) => metadata.create(argument(0)) },
  create_snap: { arguments: 2, run: ({ metadata }, argument) => metadata.snapshot(argument(0), argument(1)) },
  delete: {
    arguments: 1,
    run: (pool, argument) => {
      if (pool.metadata.has(argument(0)) && (pool.opened.get(argument(0)) ?? 0) > 0) throw refusal("message", `delete ${argument(0)}`, "EBUSY");
      pool.metadata.delete(argument(0));
    },
  },
  set_transaction_id: {
    arguments: 2,
    run: ({ metadata }, argument) => {
      if (metadata.transactionId !== argument(0)) throw refusal("message", "set_transaction_id", "EINVAL");
      metadata.transactionId = argument(1);
      metadata.touch();
    },
  },
  reserve_metadata_snap: {
    arguments: 0,
    run: ({ metadata, metadataDisk }) => {
      if (metadata.held !== undefined) throw refusal("message", "reserve_metadata_snap", "EBUSY");
      metadata.commit();
      metadata.held = metadataDisk.trees?.thins ?? new Map();
      metadata.touch();
    },
  },
  release_metadata_snap: {
    arguments: 0,
    run: ({ metadata }) => {
      if (metadata.held === undefined) throw refusal("message", "release_metadata_snap", "EINVAL");
      metadata.held = undefined;
      metadata.touch();
    },
  },
};

/** Whatever succeeds is committed before the message returns. */
export function handlePoolMessage(pool: PoolState, text: string): void {
  const [verb = "", ...words] = text.split(/\s+/).filter((word) => word !== "");
  if (pool.mode !== "rw" && pool.mode !== "out_of_data_space") throw refusal("message", text, "EOPNOTSUPP");
  const handler = HANDLERS[verb];
  if (handler === undefined || handler.arguments !== words.length) throw refusal("message", text, "EINVAL");
  handler.run(pool, (index) => {
    const word = words[index] ?? "";
    if (!/^\d+$/.test(word)) throw refusal("message", text, "EINVAL");
    return Number(word);
  });
  pool.commit();
}
