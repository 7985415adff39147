/** Notifies the operator when a fault begins and when it is over, by a command or a webhook. It knows a node by what it says of itself. */
export { createAlerts } from './alerts.ts'
export type { AlertEvents } from './events.ts'
export type { Alerts, AlertView, Notice } from './types.ts'
