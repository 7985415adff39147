import { canonicalToolchain } from '../../../config/toolchains.ts'
import { placeFor } from '../executor.ts'
import type { Rule } from '../rule.ts'
import { defer, fail, pass, some } from '../say.ts'

const name = 'toolchain'

/**
 * All toolchains of the service must be in one list of PREFER_TOOLCHAIN whose executor is there. `docker` among them
 * means "as a container only": then the others must be in the docker list. Docker is preferred where both fit.
 */
export const toolchain: Rule = {
  name,
  keys: ['PREFER_TOOLCHAIN'],
  cost: 30,
  failing: 'redirect',
  decide(service, node) {
    const { docker, host } = node.config.PREFER_TOOLCHAIN
    const words = [...new Set(service.toolchain.map(canonicalToolchain))]
    if (words.length === 0) {
      const value = some(new Set([...docker, ...host, ...(docker.length > 0 ? ['docker'] : [])]))
      const message = 'the service names no toolchain, so nothing says how to run it'
      return [fail(name, message, { field: 'toolchain', must: 'one-of', value })]
    }
    const { executor, listed, missing } = placeFor(service, node)
    if (executor !== undefined) return [pass(name, `${some(words)} can run here (${executor.name})`)]
    if (listed.length > 0) {
      const why = `${some(words)} would run in ${listed.join(' or ')}, which is not available for it now`
      return [defer(name, why, { field: 'node.executors', must: 'one-of', value: listed.join(', ') })]
    }
    const only = words.includes('docker')
    const allowed = only ? docker : [...new Set([...docker, ...host])]
    const where = only ? 'PREFER_TOOLCHAIN.docker' : 'one list of PREFER_TOOLCHAIN'
    if (allowed.length === 0) return [fail(name, `${where} is empty: no toolchain would run here`)]
    const message = `${some(missing)} ${missing.length === 1 ? 'is' : 'are'} not in ${where}`
    return [fail(name, message, { field: 'toolchain', must: 'one-of', value: some(allowed) })]
  },
}
