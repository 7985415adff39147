/** The faults that an operator can be notified of, in the order in which the reference shows them. */
export const ALERT_NAMES = [
  'disk-low',
  'clock-off',
  'engine-gone',
  'no-peers',
  'unreachable',
  'runner-failing',
  'policy-refused',
  'service-failing',
  'hubs-unreachable',
  'hub-failing',
] as const

export type AlertName = (typeof ALERT_NAMES)[number]

/** For every fault that has no entry of its own. */
export const OTHER_ALERTS = 'other'
