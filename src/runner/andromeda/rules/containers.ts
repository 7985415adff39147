import { splitContainer } from '../../../config/files/container-name.ts'
import { canonicalToolchain } from '../../../config/files/toolchains.ts'
import { addressMatcher } from '../address-matcher.ts'
import { joinSorted, pass } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'containers'

/** Which shared container of the author's the service would fit into. It never keeps a service from running. */
export const containers: Rule = {
  name,
  keys: ['CONTAINERS'],
  onFail: 'redirect',
  doc: {
    asks: 'Which container of `CONTAINERS` belongs to the author and has all toolchains of the service. Nothing runs in shared containers yet, so this is information only.',
    otherwise: 'nothing: it always passes',
  },
  decide({ author, toolchain }, { config: { CONTAINERS } }) {
    if (CONTAINERS.length === 0) return [pass(name, 'CONTAINERS is empty')]
    const isAuthor = addressMatcher(author)
    const own = CONTAINERS.filter((container) => isAuthor(splitContainer(container)?.owner ?? ''))
    if (own.length === 0) return [pass(name, 'no shared container belongs to the author')]
    const needed = toolchain.map(canonicalToolchain).filter((word) => word !== 'docker')
    const fitting = own.filter((container) => {
      const { toolchains = [] } = splitContainer(container) ?? {}
      return needed.every((word) => toolchains.includes(word))
    })
    if (fitting.length === 0) return [pass(name, "no shared container of the author's has all its toolchains")]
    const names = joinSorted(fitting, 2)
    return [pass(name, `would fit into ${names}; nothing runs in shared containers yet, so it gets a place of its own`)]
  },
}
