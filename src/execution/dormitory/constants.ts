/** Asked about at once: a runner that takes its time does not hold up the whole row, and the order still means something. */
export const WAKE_BATCH = 8

/** How often sleepers are looked at whose time may be over; a day's sleep need not end on the second. */
export const EXPIRY_CHECK_MS = 5_000

/**
 * Kinds of events whose last time is remembered, for services that are being decided while one happens. Decisions take
 * seconds; so many different codes and chains do not get statements in that time.
 */
export const MAX_REMEMBERED_EVENTS = 4096
