import { choosePool } from '../pool.ts'
import { pass } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'containers'

/** In which pool of the author's the service runs. It never keeps a service from running. */
export const containers: Rule = {
  name,
  keys: ['CONTAINERS'],
  onFail: 'redirect',
  doc: {
    asks: 'A container of `CONTAINERS` belongs to the author, has all toolchains of the service, was made with `thundercloud pool create`, and has as much memory, cpu and processes as the service asks for. Then the service runs in it, also where no list of `PREFER_TOOLCHAIN` has its toolchains; of several the first in `CONTAINERS` counts.',
    otherwise: 'it gets a container of its own, or a sandbox: this rule always passes',
  },
  decide(service, node) {
    const pool = choosePool(service, node)
    return [pass(name, pool.executor === undefined ? pool.why : `it runs in the pool ${pool.name}`)]
  },
}
