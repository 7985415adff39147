import { andromeda } from '../../src/exports/andromeda.ts'
import { runnerIn } from '../unit/runner/support.ts'
import { runnerCompliance } from './runner-kit.ts'

runnerCompliance('Andromeda, called directly', async () => ({
  decide: async (service, snapshot) => andromeda(service, snapshot),
  async [Symbol.asyncDispose]() {},
}))

runnerCompliance('Andromeda, in its process', async () => {
  const runner = runnerIn({ 'mine/runner.mjs': `export { default } from 'thundercloud/andromeda'` })
  await runner.host.start()
  return { decide: runner.host.decide, [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose]() }
})
