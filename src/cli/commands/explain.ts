import { nowSeconds } from '../../base/clock.ts'
import { formatBytes, printable } from '../../base/text.ts'
import type { Condition, Grant, Need, Reason, Verdict } from '../../base/verdict.ts'
import { argument, command } from '../command.ts'
import { daemonOf } from '../daemon.ts'
import { table } from '../output.ts'
import { when } from '../text.ts'

export const explain = command({
  name: 'explain',
  summary: 'Why the node did what it did: each rule, its outcome, and what would change it',
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {},
  async run(cli, { service }) {
    const client = await daemonOf(cli)
    const explanation = await client.explain(service, { signal: cli.signal })
    cli.out.result(explanation, () => {
      const { verdict, failure, from, at } = explanation
      const decided =
        from === 'journal'
          ? `decided ${when(at, nowSeconds(cli.clock))}`
          : 'not decided yet; this is what would be decided now'
      return [
        `${verdictText(verdict)} (${decided})`,
        ...(failure === undefined ? [] : [`The runner failed: ${printable(failure, 400)}`]),
        '',
        ...reasonLines(verdict.reasons),
      ]
    })
  },
})

export function verdictText({ run, redirect, park }: Verdict): string {
  const first = run === false ? 'not run here' : `run here: ${grantText(run)}`
  const parked = park === undefined || park.length === 0 ? [] : [`parked until ${park.map(conditionText).join(' or ')}`]
  return [first, ...parked, redirect ? 'passed on' : 'not passed on'].join(', ')
}

function grantText({ executor, memoryBytes, cpuMillicores, diskBytes, pids, network }: Grant): string {
  const how = executor === 'docker' ? 'in Docker' : 'on the host'
  const reach =
    network.mode === 'none' ? 'no network' : `network: ${network.mode === 'open' ? 'open' : network.allow.join(' ')}`
  return `${how} with ${formatBytes(memoryBytes)} memory, ${cpuMillicores / 1000} cores, ${formatBytes(diskBytes)} disk, ${pids} processes, ${reach}`
}

function conditionText(condition: Condition): string {
  switch (condition.on) {
    case 'capacity':
      return 'there is room'
    case 'policy':
      return 'the policy changes'
    case 'quorum':
      return 'enough hubs call the code safe'
    case 'freeze':
      return `an amount is frozen on ${printable(condition.chain, 40)}`
    case 'replica':
      return 'a replica is missing'
  }
}

function reasonLines(reasons: readonly Reason[]): string[] {
  const rows = reasons.map(({ rule, outcome, message, needs }) => [
    outcome === 'pass' ? 'ok' : outcome === 'fail' ? 'FAIL' : 'later',
    rule,
    message,
    needs === undefined ? '' : needText(needs),
  ])
  return table(['', 'RULE', 'WHY', 'WOULD CHANGE IT'], rows)
}

function needText({ field, must, value }: Need): string {
  const words: Record<Need['must'], string> = {
    'at-most': '<=',
    'at-least': '>=',
    'one-of': 'one of',
    match: 'matching',
    be: '=',
  }
  return `${field} ${words[must]} ${value}`
}
