import { expect, it } from 'vitest'
import { cidOfStructure } from '../../../../protocols/encoding.ts'
import { archiveLimitsFor } from '../../../../src/code/index.ts'
import { findSourcesOfCode } from '../../../../src/node/wiring/code-lookup.ts'
import type { ServiceState } from '../../../../src/services/types.ts'
import { makeService } from '../../../fixtures/mesh/gossip-services.ts'

const CODE = cidOfStructure(new Uint8Array())
const { signed } = makeService()

/** Which services the attempts ask, where these name the code, the newest first. */
async function asked(states: Record<string, ServiceState>, attempts: number) {
  const of = (attempt: number) =>
    findSourcesOfCode(
      {
        network: { dial: async () => 'peer' },
        signed: { get: () => signed as never },
        journal: { announcements: { get: () => undefined } as never },
        own: '',
        services: {
          get: (id) => ({ id }) as never,
          idsByCode: () => new Map([[CODE.toString(), Object.keys(states)]]),
          state: ({ id }) => states[id] as ServiceState,
        },
      },
      CODE,
      attempt,
      {},
    )
  return Promise.all(Array.from({ length: attempts }, (_, attempt) => of(attempt)))
}

it('damaged code is looked for where services say that have a run here, first where one says that runs', async () => {
  const states = {
    refused: 'refused',
    parked: 'parked',
    stopped: 'stopped',
    running: 'running',
    redirected: 'redirected',
    accepted: 'accepted',
    failed: 'failed',
  } as const
  const found = await asked(states, 3)
  expect(found.map(({ service }) => service)).toEqual(['running', 'accepted', 'running'])
  const limits = archiveLimitsFor((signed as { body: { resources: { disk: number } } }).body.resources.disk)
  for (const each of found) expect(each.limits).toEqual(limits)
})

it('damaged code that no run needs is looked for where services say that wait, or were published here', async () => {
  const found = await asked({ undecided: 'deciding', parked: 'parked', failed: 'failed', own: 'published' }, 3)
  expect(found.map(({ service }) => service)).toEqual(['parked', 'own', 'parked'])
})

it('what nobody needs is looked for among peers alone', async () => {
  expect(await asked({ a: 'refused', b: 'expired', c: 'deciding' }, 2)).toEqual([{}, {}])
})
