import type { Grant } from '../../../base/verdict.ts'
import type { ReceivedService } from '../../contract.ts'
import { type Check, fail, pass, skip } from '../contract.ts'
import { type CaseResult, listCases, problemOf } from '../run-cases.ts'

export const grants: Check = {
  name: 'grants',
  demands:
    'never grants more than was asked for, than LIMITS and NETCAP allow, or than is free, and evicts only what runs',
  async run({ results, accepts, runner }) {
    const overreach = results.filter(({ error }) => error?.kind === 'overreach')
    if (overreach.length > 0) return fail(listCases(overreach, problemOf))
    const granted: CaseResult[] = results.filter(({ verdict }) => verdict !== undefined && verdict.run !== false)
    if (accepts !== undefined) {
      const verdict = await runner.ask(accepts.service, accepts.snapshot)
      if (verdict.run !== false) granted.push({ ...accepts, about: 'accepts', hostile: false, verdict, durationMs: 0 })
    }
    if (granted.length === 0) return skip('it ran no example; say with `accepts` what it runs')
    const wrong = granted.filter((answer) => beyondAsked(answer) !== undefined)
    return wrong.length > 0
      ? fail(listCases(wrong, (answer) => beyondAsked(answer) ?? ''))
      : pass(`${granted.length} grants`)
  },
}

function beyondAsked({ service, verdict }: CaseResult): string | undefined {
  const grant = verdict?.run
  if (grant === undefined || grant === false) return undefined
  const { memory, cpu, disk, pids } = service.resources
  const asked = { memoryBytes: memory, cpuMillicores: cpu, diskBytes: disk, pids }
  for (const [key, most] of Object.entries(asked) as [keyof typeof asked, number][]) {
    if (grant[key] > most) return `grants ${key} ${grant[key]}, and ${most} was asked for`
  }
  const { timeout } = service.run
  if (timeout !== undefined && grant.timeoutSeconds !== undefined && grant.timeoutSeconds > timeout) {
    return `grants ${grant.timeoutSeconds} seconds, and ${timeout} were asked for`
  }
  return beyondAskedNetwork(grant, service)
}

function beyondAskedNetwork({ network }: Grant, service: ReceivedService): string | undefined {
  if (network.mode === 'none') return undefined
  if (service.network.length === 0) return `grants network "${network.mode}", and none was asked for`
  if (network.mode === 'open') return undefined
  const more = network.allow.find((target) => !service.network.includes(target))
  return more === undefined ? undefined : `grants network to ${more}, which was not asked for`
}
