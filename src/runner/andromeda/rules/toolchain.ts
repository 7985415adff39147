import { canonicalToolchain, findToolchain } from '../../../config/files/toolchains.ts'
import { chooseExecutor, hasToolchain } from '../executor.ts'
import { defer, fail, joinSorted, joinWhole, pass } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'toolchain'

/**
 * All toolchains of the service must be in one list of PREFER_TOOLCHAIN whose executor is there. `docker` among them
 * means "as a container only": then the others must be in the docker list. Docker is preferred where both fit.
 */
export const toolchain: Rule = {
  name,
  keys: ['PREFER_TOOLCHAIN'],
  onFail: 'redirect',
  doc: {
    asks: 'All toolchains of the service are in one list of `PREFER_TOOLCHAIN`; in `docker` where the service says `docker`. The executor must be there and take the service. Docker is preferred where both fit.',
    otherwise: 'not run; redirected. Where only the executor is missing, it waits for one',
  },
  decide(service, node) {
    const { docker, host } = node.config.PREFER_TOOLCHAIN
    const words = [...new Set(service.toolchain.map(canonicalToolchain))]
    const only = words.includes('docker')
    const allowed = only ? docker : [...new Set([...docker, ...host])]
    const where = only ? 'PREFER_TOOLCHAIN.docker' : 'one list of PREFER_TOOLCHAIN'
    const empty = `${only ? where : 'PREFER_TOOLCHAIN'} is empty`
    const nothing = only ? 'nothing that asks for docker runs here' : 'nothing runs here'
    if (words.length === 0) {
      const message = 'the service names no toolchain, so nothing says how to run it'
      if (allowed.length === 0) return [fail(name, `${message}, and ${empty}: ${nothing}`)]
      return [fail(name, message, { field: 'toolchain', must: 'one-of', value: joinWhole(allowed) })]
    }
    const { executors, listed, missing } = chooseExecutor(service, node)
    if (executors[0] !== undefined) return [pass(name, `${joinSorted(words)} can run here (${executors[0].name})`)]
    if (listed.length > 0) {
      const there = node.capacity.executors.filter((executor) => listed.includes(executor.name))
      const lacks = words.filter((word) => there.some((executor) => !hasToolchain(executor, word)))
      const programs = lacks.map((word) => findToolchain(word)?.program ?? word)
      const but =
        lacks.length > 0 ? `where ${joinSorted(programs)} is not installed` : 'which is not available for it now'
      const why = `${joinSorted(words)} would run in ${listed.join(' or ')}, ${but}`
      return [defer(name, why, { field: 'node.executors', must: 'one-of', value: listed.join(', ') })]
    }
    if (allowed.length === 0) return [fail(name, `${empty}: ${nothing}`)]
    const message = `${joinSorted(missing)} ${missing.length === 1 ? 'is' : 'are'} not in ${where}`
    return [fail(name, message, { field: 'toolchain', must: 'one-of', value: joinWhole(allowed) })]
  },
  wakeConditions: (service, node) =>
    chooseExecutor(service, node).listed.map((executor) => ({ on: 'executor', executor })),
}
