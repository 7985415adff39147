import { expect, it } from 'vitest'
import type { SignedService } from '../../../../src/intake/index.ts'
import type { CodeProviderComponents, RunCheck } from '../../../../src/node/wiring/code-provider.ts'
import { createCodeProvider } from '../../../../src/node/wiring/code-provider.ts'
import { idOf, makeService } from '../../../fixtures/mesh/gossip-services.ts'

const announcement = makeService()
const id = idOf(announcement)
const signed = announcement.signed as SignedService
const service = { id, code: signed.body.code.toString() } as never

function world(change: Partial<Pick<CodeProviderComponents, 'trust'>> & { check?: RunCheck } = {}) {
  const happened: string[] = []
  const provider = createCodeProvider({
    code: {
      obtain: async (code) => {
        happened.push('obtained')
        const release = () => void happened.push('released')
        return { dir: '/code', code, release, [Symbol.dispose]: release }
      },
      store: { pin: () => new DisposableStack() },
    },
    network: { dial: async () => 'peer' },
    signed: { get: () => signed },
    journal: { announcements: { get: () => undefined } as never },
    own: '',
    trust: change.trust ?? { lookUp: async () => ({ complete: true }) },
  })
  provider.beforeRun(change.check ?? (async () => {}))
  const signal = new AbortController().signal
  return { happened, obtain: () => provider.obtain(service, { signal, diskBytes: 1, onProgress: () => {} }) }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

it('the code of a run: is handed over when the mesh was asked for a newer word, and what it said had its consequences', async () => {
  const [asked, settled] = [Promise.withResolvers<{ complete: boolean }>(), Promise.withResolvers<void>()]
  const { happened, obtain } = world({ trust: { lookUp: () => asked.promise }, check: () => settled.promise })
  const code = obtain().then(() => happened.push('handed over'))
  await turn()
  expect(happened).toEqual(['obtained'])
  asked.resolve({ complete: true })
  await turn()
  expect(happened).toEqual(['obtained'])
  settled.resolve()
  await code
  expect(happened).toEqual(['obtained', 'handed over'])
})

it('the code of a run: is let go of where the run was called off', async () => {
  const { happened, obtain } = world({ check: () => Promise.reject(new Error('called off')) })
  await expect(obtain()).rejects.toThrow('called off')
  expect(happened).toEqual(['obtained', 'released'])
})

it('the code of a run: is handed over where the mesh cannot be asked', async () => {
  const { happened, obtain } = world({ trust: { lookUp: () => Promise.reject(new Error('nobody')) } })
  expect((await obtain()).dir).toBe('/code')
  expect(happened).toEqual(['obtained'])
})
