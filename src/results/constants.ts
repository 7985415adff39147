/** One result takes at most this share of what all may take: no author pushes out all others with one task. */
export const SHARE_OF_ONE = 4
/** How often it is looked whether results have expired. */
export const EXPIRY_LOOK_MS = 60_000
/** Files of one result: an archive of so many takes its process about 100 MB. */
export const MAX_ENTRIES = 100_000
/** Tasks whose outputs are packed at once: the others wait. */
export const MAX_PACKING = 2
/** Results that are remembered, those included of which nothing is kept any more. */
export const MAX_RECORDS = 8192
/** How long it is remembered that a result is not kept any more: as long as a service may live. */
export const FORGET_MS = 30 * 24 * 3600 * 1000
