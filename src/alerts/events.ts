import type { AlertName } from '../config/index.ts'

/** Events of alerts; only where `ALERTS` has a target for the fault. Texts are safe to show. */
export type AlertEvents = {
  /** A fault has begun. */
  'alert:begun': { alert: AlertName; subject: string; summary: string }
  /** It is over. */
  'alert:cleared': { alert: AlertName; subject: string }
  /** The command or the webhook took a notice. */
  'alert:delivered': { alert: AlertName; state: 'begun' | 'cleared' | 'test'; attempts: number }
  /** It did not. `again`: it is tried again later. */
  'alert:undelivered': {
    alert: AlertName
    state: 'begun' | 'cleared' | 'test'
    reason: string
    attempts: number
    again: boolean
  }
  /** So many notices wait already that this one is not sent. */
  'alert:dropped': { alert: AlertName; state: 'begun' | 'cleared' }
}
