import type { RunnerSnapshot } from '../../contract.ts'
import { exampleNodes, exampleServices, NO_CAPACITY } from '../cases.ts'
import { type Check, type CheckContext, fail, pass, skip } from '../contract.ts'
import { EXAMPLE_STRANGER, exampleService, exampleSnapshot } from '../examples.ts'

export const failsClosed: Check = {
  name: 'fails-closed',
  demands: 'runs nothing of an unknown author',
  async run({ runner, results }) {
    const nodes = ['with capacity', 'with more capacity than there is'] as const
    const asked = Object.entries(exampleServices()).flatMap(([which, example]) =>
      nodes.map(async (where) => {
        const service = { ...example, author: EXAMPLE_STRANGER }
        const snapshot = exampleNodes(runner.config)[where] as RunnerSnapshot
        const outcome = await runner.ask(service, snapshot).catch(() => undefined)
        return outcome !== undefined && outcome.run !== false
          ? `${which}, of an unknown author, on a node ${where}`
          : undefined
      }),
    )
    const run = (await Promise.all(asked)).filter((about) => about !== undefined)
    if (run.length > 0) return fail(`it would run ${run.slice(0, 3).join('; ')}`)
    const overreach = results.find(
      ({ error, service }) => error?.kind === 'overreach' && service.author === EXAMPLE_STRANGER,
    )
    if (overreach !== undefined) return fail(`it would run ${overreach.about}, and more`)
    return pass(`${asked.length} services of unknown authors`)
  },
}

export const noCapacity: Check = {
  name: 'no-capacity',
  demands: 'runs nothing where nothing is free or no executor is there',
  async run(about) {
    const { service } = wanted(about)
    const { snapshot } = wanted(about)
    const nodes = {
      'no capacity at all': { ...snapshot, capacity: NO_CAPACITY },
      'no further run': { ...snapshot, capacity: { ...snapshot.capacity, runs: 0 } },
      'no executor': { ...snapshot, capacity: { ...snapshot.capacity, executors: [] } },
      'too little memory': {
        ...snapshot,
        capacity: { ...snapshot.capacity, memoryBytes: service.resources.memory - 1 },
      },
    }
    for (const [what, node] of Object.entries(nodes)) {
      const outcome = await about.runner.ask(service, node).catch((error: Error) => error)
      if (outcome instanceof Error) return fail(`with ${what}: ${outcome.message}`)
      // a smaller grant than asked for is the runner's right, nothing at all is not
      if (outcome.run !== false && what !== 'too little memory') return fail(`with ${what}: it would run`)
    }
    return pass('refused or made smaller')
  },
}

export const accepts: Check = {
  name: 'accepts',
  demands: 'runs the service that it is said to run',
  async run({ accepts, runner }) {
    if (accepts === undefined) return skip('no `accepts` given')
    const verdict = await runner.ask(accepts.service, accepts.snapshot)
    if (verdict.run !== false) return pass(`in ${verdict.run.executor}`)
    const why = verdict.reasons.filter(({ outcome }) => outcome !== 'pass').map(({ message }) => message)
    return fail(`it refused: ${why.join('; ')}`)
  },
}

function wanted({ accepts, runner }: CheckContext) {
  return accepts ?? { service: exampleService(), snapshot: { ...exampleSnapshot(), config: runner.config } }
}
