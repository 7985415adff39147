import { formatBytes, formatMs, howMany, sanitizeText } from '../../base/format.ts'
import type { Grant, Need, NetworkGrant, Reason, Verdict, WakeCondition } from '../../base/verdict.ts'
import type { ServiceView } from '../../node/types.ts'
import { REDIRECTED } from './disposition-texts.ts'
import { table } from './output.ts'

/** By these rules a node that is drained or paused parks what would begin. */
const [DRAIN_RULE, PAUSE_RULE] = ['drain', 'pause']

export function verdictText({ run, redirect, park, reasons }: Verdict): string {
  const first = run === false ? 'not run here' : `run here: ${grantText(run)}`
  const parked = park === undefined || park.length === 0 ? [] : [`parked until ${wakeText(park, heldBy(reasons))}`]
  return [first, ...parked, redirect ? REDIRECTED.yes : REDIRECTED.no].join(', ')
}

function heldBy(reasons: readonly Reason[]): Held {
  const has = (name: string | undefined) => reasons.some(({ rule }) => rule === name)
  return { drained: has(DRAIN_RULE), paused: has(PAUSE_RULE) }
}

const EXECUTOR_COMES = {
  docker: 'the Docker engine answers',
  host: 'the host sandbox is available',
  pool: 'there is a pool',
  swarm: 'the Docker Swarm answers',
}

function grantText({ executor, pool = '', memoryBytes, cpuMillicores, diskBytes, pids, network }: Grant): string {
  const how = {
    docker: 'in Docker',
    host: 'on the host',
    pool: `in the pool ${sanitizeText(pool, 256)}`,
    swarm: 'in the Docker Swarm',
  }[executor]
  const reach = network.mode === 'none' ? 'no network' : `network: ${networkText(network)}`
  return `${how} with ${formatBytes(memoryBytes)} memory, ${howMany(cpuMillicores / 1000, 'core', 'cores')}, ${formatBytes(diskBytes)} disk, ${howMany(pids, 'process', 'processes')}, ${reach}`
}

/** What a run may reach. */
export function networkText(network: NetworkGrant): string {
  if (network.mode === 'none') return 'none'
  const rate = network.rateKbps === undefined ? '' : `, ${network.rateKbps} kbit/s`
  return `${network.mode === 'open' ? 'every public name' : network.allow.join(' ')}${rate}`
}

/** "parked until there is capacity, for 3h 5m at most" */
export function parkedText({ until, on, ...held }: NonNullable<ServiceView['parked']>, nowSeconds: number): string {
  const left = until - nowSeconds
  const most = left > 0 ? `for ${formatMs(left * 1000)} at most` : 'and its time is up'
  return `until ${wakeText(on, held)}, ${most}`
}

type Held = { readonly drained?: boolean | undefined; readonly paused?: boolean | undefined }

/** What wakes a parked service. A node that is drained or paused begins none, whatever else comes. */
export function wakeText(conditions: readonly WakeCondition[], { drained, paused }: Held = {}): string {
  const ends = [
    ...(drained === true ? ['the drain of this node is over (thundercloud undrain)'] : []),
    ...(paused === true ? ['this node is resumed (thundercloud resume)'] : []),
  ]
  if (ends.length === 0) return conditions.map(conditionText).join(' or ')
  const others = conditions.filter(({ on }) => on !== 'capacity').map(conditionText)
  return [...(others.length === 0 ? [] : [others.join(' or ')]), ...ends].join(' and ')
}

function conditionText(condition: WakeCondition): string {
  switch (condition.on) {
    case 'capacity':
      return 'there is capacity'
    case 'executor':
      return EXECUTOR_COMES[condition.executor]
    case 'policy':
      return 'the policy changes'
    case 'quorum':
      return 'enough hubs call the code safe'
    case 'freeze':
      return `an amount is frozen on ${sanitizeText(condition.chain, 40)}`
    case 'delegation':
      return 'a root of the trust tree vouches for the author'
    case 'replica':
      return 'a replica is missing'
  }
}

/** A rule in mode "warn" let the service pass: what it would have said otherwise is in its message. */
const MARKS = { pass: 'ok', fail: 'FAIL', defer: 'later' } as const

export function reasonLines(reasons: readonly Reason[]): string[] {
  const rows = reasons.map(({ rule, outcome, message, needs, warned }) => [
    warned === undefined ? MARKS[outcome] : 'warn',
    rule,
    message,
    needs === undefined ? '' : needText(needs),
  ])
  return table(['', 'RULE', 'WHY', 'WOULD CHANGE IT'], rows)
}

/** Of the default policy, where field, comparison and value make no sentence. */
const NEEDS: Readonly<Record<string, (value: string) => string>> = {
  'author one-of': (value) => `author one of, or trusted by one of: ${value}`,
  'delegation one-of': (value) => `author trusted by one of: ${value}`,
  'sources one-of': (value) => `code from one of: ${value}`,
  'reward one-of': (value) => `a reward of at least ${value} an hour`,
  'reward.perHour at-least': (value) => `a reward of at least ${value} an hour`,
}

function needText({ field, must, value }: Need): string {
  const sentence = NEEDS[`${field} ${must}`]
  if (sentence !== undefined) return sentence(value)
  const words: Record<Need['must'], string> = {
    'at-most': '<=',
    'at-least': '>=',
    'one-of': 'one of',
    match: 'matching',
    be: '=',
  }
  return `${field} ${words[must]} ${value}`
}
