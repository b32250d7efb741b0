import * as z from "zod";

/** Bytes: up to 2^53 - 1, far above any pool. */
export const byteCount = () => z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** The same number as a field beside it tells exactly, as Kubernetes writes sizes: what tables show. Never read by programs. */
export const quantity = () => z.string().optional();
