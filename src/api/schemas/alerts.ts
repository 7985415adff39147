import type { AlertView } from '../../alerts/index.ts'
import { array, boolean, everyOne, object, oneOf, type Shape, string } from '../shape.ts'
import { count } from './verdict.ts'

export const alert = everyOne<AlertView['alert']>({
  'disk-low': true,
  'clock-off': true,
  'engine-gone': true,
  'no-peers': true,
  unreachable: true,
  'runner-failing': true,
  'policy-refused': true,
  'service-failing': true,
  'hubs-unreachable': true,
  'hub-failing': true,
})

type Last = NonNullable<AlertView['last']>

export const noticeState: Shape<Last['state']> = oneOf('begun', 'cleared', 'test')

const alertViewSchema: Shape<AlertView> = object({
  alert,
  by: oneOf('command', 'webhook'),
  target: string,
  faults: array(
    object<AlertView['faults'][number]>({
      ...{ subject: string, name: string.optional(), own: boolean.optional() },
      ...{ summary: string, next: string, since: count },
    }),
  ),
  unreported: count,
  waiting: count,
  last: object<Last>({
    ...{ state: noticeState, attempts: count, at: count, problem: string.optional() },
    outcome: oneOf('delivered', 'waiting', 'failed'),
  }).optional(),
  ...{ delivered: count, failed: count, dropped: count },
})

export const alertsSchema: Shape<{ alerts: readonly AlertView[] }> = object({ alerts: array(alertViewSchema) })

/** `problem`: why it was not delivered. */
export type AlertTest = { readonly delivered: boolean; readonly tookMs: number; readonly problem?: string | undefined }
export const alertTestSchema: Shape<AlertTest> = object({
  ...{ delivered: boolean, tookMs: count, problem: string.optional() },
})
