import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createEngine } from '../../../src/execution/docker/engine.ts'
import { nodeImageTag } from '../../../src/execution/docker/images/node-image.ts'
import { findProgram } from '../../../src/process/index.ts'
import { createWorld } from '../../../test/fixtures/node/nodes.ts'
import { system } from '../../../test/fixtures/system.ts'
import { bareBubblewrap, bareDocker } from './baselines.ts'
import { openNode, refilled } from './node.ts'
import { FILES, type Message, type Pair, type Start, WARM } from './pair.ts'
import { warmMib } from './warm-memory.ts'

type Case = Pick<Pair, 'executor' | 'warm' | 'files'> & { start(): Promise<Start>; baseline(): Promise<number> }

/** A process of its own: it runs on what is built, as an operator's node does. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1' } } })
  const say = (message: Message) => process.send?.(message)
  await using world = await createWorld()
  const cases: Case[] = []
  const bwrap = findProgram('bwrap')
  if (bwrap === undefined) say({ notMeasured: 'bubblewrap is not installed' })
  else {
    for (const warm of process.getuid?.() === 0 ? WARM : (['nothing'] as const)) {
      const node = await openNode(world, 'host', warm)
      for (const files of FILES) {
        const { start } = await node.prepare(files)
        cases.push({ executor: 'host', warm, files, start, baseline: () => bareBubblewrap(bwrap) })
      }
    }
  }
  if (await hasEngine()) {
    for (const warm of process.getuid?.() === 0 ? WARM : (['nothing', 'gateways'] as const)) {
      const node = await openNode(world, 'docker', warm)
      for (const files of FILES) {
        const { start, dir } = await node.prepare(files)
        cases.push({ executor: 'docker', warm, files, start, baseline: () => bareDocker(nodeImageTag(), dir) })
      }
    }
  } else say({ notMeasured: 'no Docker engine answers' })
  if (cases.some(({ executor, warm }) => executor === 'host' && warm === 'programs')) {
    await refilled('host', 'programs')
    say({ warmMib: Number((await warmMib(join(world.root, 'host-programs'))).toFixed(1)) })
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const { executor, warm, files, start, baseline } of cases) {
      say({ executor, warm, files, round, baseline: await baseline(), ours: await start() })
    }
  }
}

async function hasEngine(): Promise<boolean> {
  const engine = createEngine({}, system.clock)
  return engine
    .ask((docker) => docker.ping())
    .then(
      () => true,
      () => false,
    )
    .finally(() => engine.close())
}

await main()
process.disconnect?.()
