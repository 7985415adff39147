import { seededRng } from '../../../../src/base/rng.ts'
import { createCode } from '../../../../src/code/index.ts'
import { createCodeRepair } from '../../../../src/code/repair.ts'
import type { CodeComponents, CodeStore } from '../../../../src/code/types.ts'
import { MIB, testComponents, testMesh } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

/** The code part of a node that fetches damaged code again, from `beginRepair` on; all `peers` are providers, unless it is `offline`. */
export async function repairable(
  peers: Parameters<typeof testMesh>[0],
  options: Pick<Partial<CodeComponents>, 'clock' | 'disk'> & { dir?: string; maxBytes?: number } = {},
) {
  const { dir = await tempDir(), maxBytes = 256 * MIB, ...given } = options
  const components = { ...testComponents(), ...given, rng: seededRng('repair'), streams: testMesh(peers) }
  const here = { offline: false, opened: components.streams.opened, seen: components.seen, dir }
  const providers = {
    async *findProviders() {
      if (!here.offline) yield* Object.keys(peers)
    },
  }
  const code = await createCode({ ...components, providers }, { dir, maxBytes, self: 'me' })
  const closing = new AbortController()
  const init = { findSources: async () => ({}), closing: closing.signal }
  const beginRepair = () => createCodeRepair({ ...components, code }, init)
  return Object.assign(here, { code, closing, beginRepair })
}

/** The same, begun. */
export async function repairing(...given: Parameters<typeof repairable>) {
  const here = await repairable(...given)
  return Object.assign(here, { repair: here.beginRepair() })
}

/** What a check of the whole store finds. */
export async function checked(store: CodeStore): Promise<[state: string, why: string | undefined][]> {
  return (await Array.fromAsync(store.verify())).map(({ state, why }) => [state, why])
}
