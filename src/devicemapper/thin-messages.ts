/** The messages of a pool, by which thin devices come and go. Source: thin-provisioning.rst, "Messages". */

/** EEXIST when the number is taken. */
export const createThin = (number: number): string => `create_thin ${number}`;

/** An active origin must be suspended: the kernel does not see to that. EEXIST when the number is taken, ENODATA when there is no such origin. */
export const createSnap = (number: number, origin: number): string => `create_snap ${number} ${origin}`;

/** ENODATA when there is no such number, EBUSY while it is active. */
export const deleteThin = (number: number): string => `delete ${number}`;

/** EINVAL unless the pool's id is `current`. */
export const setTransactionId = (current: number, next: number): string => `set_transaction_id ${current} ${next}`;

/** What `thin_ls` and its like can read beside a live pool. EBUSY when there is one already. */
export const RESERVE_METADATA_SNAP = "reserve_metadata_snap";

/** EINVAL when there is none. */
export const RELEASE_METADATA_SNAP = "release_metadata_snap";

/** For any device: it stays after its last user has closed it. Source: drivers/md/dm-ioctl.c, message_for_md. */
export const CANCEL_DEFERRED_REMOVE = "@cancel_deferred_remove";
