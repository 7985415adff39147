/** Decided again at once: a slow runner does not hold up all the others, and the order still counts. */
export const WAKE_BATCH = 8

/** How often it is looked which parked services have expired; a day need not end on the second. */
export const EXPIRY_CHECK_MS = 5_000

/**
 * Kinds of events whose last time is remembered, for services that are being decided while one happens. Decisions take
 * seconds; so many different codes and chains do not get statements in that time.
 */
export const MAX_REMEMBERED_EVENTS = 4096
