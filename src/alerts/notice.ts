import { howMany, sanitizeText } from '../base/format.ts'
import type { AlertName } from '../config/index.ts'
import type { Fault, Notice } from './types.ts'

/** Faults that one notice names. */
const MAX_NAMED = 20
const MAX_TEXT = 400

/** What each fault is called where it is one of many. */
const MANY: Readonly<Record<AlertName, string>> = {
  'disk-low': 'the disk is nearly full',
  'clock-off': 'the clock is wrong',
  'engine-gone': 'executors cannot be used',
  'no-peers': 'there is no neighbour',
  unreachable: 'the node cannot be reached',
  'runner-failing': 'the runner fails',
  'policy-refused': 'a policy was refused',
  'service-failing': 'services have failed',
  'hubs-unreachable': 'what hubs say cannot be looked up',
  'hub-failing': 'this hub gives no attestations',
}

export type FaultChange = {
  readonly alert: AlertName
  readonly state: 'begun' | 'cleared'
  readonly faults: readonly Fault[]
  readonly flapped: number
  /** of its kind, over the bound */
  readonly unreported: number
}

/** A notice of faults that began or cleared; its texts are safe to show. */
export function noticeOf(change: FaultChange, common: Pick<Notice, 'id' | 'at' | 'node'>): Notice {
  const { alert, state, faults, flapped, unreported } = change
  const named = faults.slice(0, MAX_NAMED).map(({ alert: _alert, ...fault }) => fault)
  const [first] = named
  const what = faults.length > 1 ? manyText(change) : first?.summary
  return {
    ...common,
    alert,
    state,
    summary: sanitizeText(state === 'cleared' ? `over: ${what ?? MANY[alert]}` : (what ?? MANY[alert]), MAX_TEXT),
    faults: named,
    ...(faults.length > MAX_NAMED ? { more: faults.length - MAX_NAMED } : {}),
    ...(unreported === 0 ? {} : { unreported }),
    ...(flapped === 0 ? {} : { flapped }),
  }
}

function manyText({ alert, state, faults, unreported }: FaultChange): string {
  const own = faults.filter((fault) => fault.own).length
  const ofOwn = own === 0 ? '' : `, ${own} of this node's own address`
  const others =
    unreported === 0 || state === 'cleared' ? '' : `; ${howMany(unreported, 'more is', 'more are')} not reported yet`
  return `${MANY[alert]}: ${howMany(faults.length, 'one', 'of them')}${ofOwn}${others}`
}

/** A notice that an operator asked for. */
export function testNotice(alert: AlertName, common: Pick<Notice, 'id' | 'at' | 'node'>): Notice {
  return {
    ...common,
    alert,
    state: 'test',
    summary: `a test, as an operator asked for it; were it real: ${MANY[alert]}`,
    faults: [],
  }
}

export function safeText(text: string, max = MAX_TEXT): string {
  return sanitizeText(text, max)
}
