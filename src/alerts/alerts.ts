import { nowSeconds } from '../base/clock.ts'
import { messageOf, NotFoundError, StoppedError } from '../base/errors.ts'
import { joinWords } from '../base/format.ts'
import { ALERT_NAMES, type AlertName, type AlertTarget, OTHER_ALERTS } from '../config/index.ts'
import { createFaultLog } from './fault-log.ts'
import { noticeOf, testNotice } from './notice.ts'
import { createOutbox } from './outbox.ts'
import { sendByCommand } from './send-command.ts'
import { sendByWebhook } from './send-webhook.ts'
import type { Alerts, AlertsComponents, AlertsInit, SendNotice } from './types.ts'
import { watchFaults } from './watch.ts'

/** Watches a node and its machine from now on. Disposing it ends commands and requests that are under way. */
export function createAlerts(components: AlertsComponents, { alerts, version }: AlertsInit): Alerts {
  const { clock, rng, log, node, probes, env = {} } = components
  const { peerId, network, events } = node
  const stack = new DisposableStack()
  const closing = new AbortController()
  const common = () => ({ id: rng.uuid(), at: nowSeconds(clock), node: { peerId, network, version } })
  const sender = (alert: AlertName, target: AlertTarget) =>
    components.send?.(alert) ?? senderOf(clock, target, { version, home: env.HOME })

  const channels = new Map(
    ALERT_NAMES.flatMap((alert) => {
      const target = alerts[alert] ?? alerts[OTHER_ALERTS]
      if (target === undefined) return []
      const emit = events.emit.bind(events)
      const outbox = createOutbox({ clock, rng, signal: closing.signal, send: sender(alert, target), emit })
      const faults = createFaultLog({
        ...{ clock, alert },
        begun: ({ subject, summary }) => events.emit('alert:begun', { alert, subject, summary }),
        cleared: ({ subject }) => events.emit('alert:cleared', { alert, subject }),
        notify: (change) => outbox.send(noticeOf(change, common()), () => faults.undelivered(change)),
      })
      return [[alert, { target, outbox, faults: stack.use(faults) }] as const]
    }),
  )
  const report = {
    begin: (alert: AlertName, { subject = '', ...fault }: { subject?: string; summary: string; next: string }) =>
      channels.get(alert)?.faults.begin({ subject, ...fault }),
    clear: (alert: AlertName, subject = '') => channels.get(alert)?.faults.clear(subject),
  }
  const onError = (error: unknown) => log.warn('a look for faults failed', { reason: messageOf(error) })
  if (channels.size > 0) stack.use(watchFaults({ clock, node, probes, report, onError }))

  return {
    list: () =>
      [...channels].map(([alert, { target, outbox, faults }]) => ({
        alert,
        by: target.COMMAND === undefined ? 'webhook' : 'command',
        target: target.COMMAND?.[0] ?? new URL(target.WEBHOOK ?? '').origin,
        faults: faults.list().map(({ alert: _alert, ...fault }) => fault),
        unreported: faults.unreported(),
        ...outbox.status(),
      })),
    async test(alert, { signal } = {}) {
      const channel = channels.get(alert as AlertName)
      if (channel === undefined) throw new NotFoundError(missing(alert, [...channels.keys()]))
      const startedAt = clock.monotonic()
      const until = signal ?? closing.signal
      const problem = await channel.outbox.test(testNotice(alert as AlertName, common()), until)
      return { tookMs: Math.round(clock.monotonic() - startedAt), ...(problem === undefined ? {} : { problem }) }
    },
    [Symbol.dispose]() {
      stack[Symbol.dispose]()
      closing.abort(new StoppedError('the node is stopping'))
    },
  }
}

function senderOf(
  clock: AlertsComponents['clock'],
  { COMMAND, WEBHOOK = '', TIMEOUT }: AlertTarget,
  { version, home }: { version: string; home: string | undefined },
): SendNotice {
  const timeoutMs = TIMEOUT * 1000
  if (COMMAND !== undefined) return sendByCommand(clock, { argv: COMMAND, timeoutMs, home })
  return sendByWebhook(clock, { url: WEBHOOK, timeoutMs, version })
}

function missing(alert: string, configured: readonly string[]): string {
  if (!ALERT_NAMES.some((name) => name === alert)) {
    return `there is no alert ${JSON.stringify(alert)}; known are ${joinWords(ALERT_NAMES)}`
  }
  const others = configured.length === 0 ? 'ALERTS is empty' : `it has ${joinWords(configured)}`
  return `ALERTS in node.json has no entry for "${alert}" and none for "${OTHER_ALERTS}": ${others}; add one and start the node again`
}
