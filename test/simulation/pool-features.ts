import { refusal } from "./errno.ts";

/** The optional arguments of a pool's table line. Source: drivers/md/dm-thin.c, parse_pool_features. */
export interface PoolFeatures {
  zeroNewBlocks: boolean;
  discard: boolean;
  discardPassdown: boolean;
  readOnly: boolean;
  errorIfNoSpace: boolean;
}

const CLEARS: Readonly<Record<string, Partial<PoolFeatures>>> = {
  skip_block_zeroing: { zeroNewBlocks: false },
  ignore_discard: { discard: false },
  no_discard_passdown: { discardPassdown: false },
  read_only: { readOnly: true },
  error_if_no_space: { errorIfNoSpace: true },
};

/** From the words after the low water mark: a count, and as many features. */
export function parseFeatures(words: readonly string[]): PoolFeatures {
  const features = { zeroNewBlocks: true, discard: true, discardPassdown: true, readOnly: false, errorIfNoSpace: false };
  const [count = "0", ...names] = words;
  if (Number(count) !== names.length) throw refusal("table load", words.join(" "), "EINVAL");
  for (const name of names) {
    const change = CLEARS[name];
    if (change === undefined) throw refusal("table load", name, "EINVAL");
    Object.assign(features, change);
  }
  return features;
}

/** As the kernel prints them back, a space after each. */
export function printFeatures(features: PoolFeatures): string {
  const names = [
    ...(features.zeroNewBlocks ? [] : ["skip_block_zeroing"]),
    ...(features.discard ? [] : ["ignore_discard"]),
    ...(features.discardPassdown ? [] : ["no_discard_passdown"]),
    ...(features.readOnly ? ["read_only"] : []),
    ...(features.errorIfNoSpace ? ["error_if_no_space"] : []),
  ];
  return [names.length, ...names, ""].join(" ");
}
