import type { AlertView } from '../../alerts/index.ts'
import { nowSeconds } from '../../base/clock.ts'
import { formatMs, sanitizeText } from '../../base/format.ts'
import { nodeClient } from '../client/node-client.ts'
import { argument, command } from '../command.ts'
import { FailedError } from '../errors.ts'
import { table } from '../output/output.ts'
import { when } from '../output/text.ts'

export const alertLs = command({
  name: 'alert ls',
  summary: 'Alerts of ALERTS in node.json: what is wrong now, and whether the last notice was delivered',
  args: {},
  options: {},
  async run(cli) {
    const alerts = await (await nodeClient(cli)).alerts.list({ signal: cli.signal })
    const now = nowSeconds(cli.clock)
    cli.out.result(alerts, () => {
      if (alerts.length === 0) return ['No alert has a target; ALERTS in node.json gives them a COMMAND or a WEBHOOK.']
      return [
        ...table(
          ['ALERT', 'BY', 'NOW', 'LAST NOTICE'],
          alerts.map((alert) => [alert.alert, byText(alert), faultsText(alert), lastText(alert, now)]),
        ),
        ...alerts.flatMap(({ alert, faults }) =>
          faults.map(
            ({ summary, since, next }) => `${alert}, ${when(since, now)}: ${sanitizeText(summary, 400)}; ${next}`,
          ),
        ),
      ]
    })
  },
})

export const alertTest = command({
  name: 'alert test',
  summary: 'Send a test by the command or webhook of an alert, and say whether it was taken',
  args: { alert: argument('ALERT', 'the name of the alert, like disk-low') },
  options: {},
  async run(cli, { alert }) {
    const client = await nodeClient(cli)
    using progress = cli.out.progress('sending')
    const result = await client.alerts.test(alert, { signal: cli.signal })
    progress[Symbol.dispose]()
    cli.out.result(result, () => (result.delivered ? [`Delivered in ${formatMs(result.tookMs)}.`] : []))
    if (!result.delivered) {
      throw new FailedError(`the test was not delivered: ${sanitizeText(result.problem ?? 'no reason is given', 300)}`)
    }
  },
})

function byText({ by, target }: AlertView): string {
  return `${by} ${sanitizeText(target, 80)}`
}

function faultsText({ faults, unreported }: AlertView): string {
  if (faults.length === 0) return 'ok'
  if (unreported > 0) return `${faults.length} wrong, ${unreported} more not reported`
  return faults.length === 1 ? 'wrong' : `${faults.length} wrong`
}

function lastText({ last, waiting, dropped }: AlertView, now: number): string {
  const more = [...(waiting > 1 ? [`${waiting} wait`] : []), ...(dropped > 0 ? [`${dropped} dropped`] : [])]
  const text = last === undefined ? 'none' : `${last.state}, ${outcomeText(last)} ${when(last.at, now)}`
  return [text, ...more].join('; ')
}

function outcomeText({ outcome, attempts, problem = '' }: NonNullable<AlertView['last']>): string {
  if (outcome === 'delivered') return 'delivered'
  const why = `${sanitizeText(problem, 120)} (attempt ${attempts})`
  return outcome === 'waiting' ? `not delivered yet, is tried again: ${why}` : `not delivered: ${why}`
}
