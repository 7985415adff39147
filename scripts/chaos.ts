import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { setup } from '../test/build.ts'
import { runChaos } from './chaos/run-chaos.ts'

const USAGE = `npm run chaos -- [--seed N] [--kills N] [--executor host|docker] [--json]

  Kills a node with SIGKILL at random moments, from its start on, while strangers hand in services, stops and code; 200 times.
  Exit code 1 where something that the node acknowledged is lost, a task began twice, a file was ruined, or something of a
  run is left on the machine when all has ended; also where 15 minutes were not enough, or nothing was acknowledged.

  --seed N   of the moments and of what is handed in; printed. The same seed is not the same run: the machine has its part in it`

const MAX_MS = 15 * 60_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      kills: { type: 'string', default: '200' },
      executor: { type: 'string', default: 'host' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const { seed = String(randomInt(2 ** 31)), executor } = values
  const kills = Number(values.kills)
  if (!Number.isInteger(kills) || kills < 1)
    throw new Error(`--kills is "${values.kills}"; it must be a whole number, at least 1`)
  if (executor !== 'host' && executor !== 'docker')
    throw new Error(`--executor is "${executor}"; it must be "host" or "docker"`)
  if (!values.json) console.log(`seed ${seed}`)
  const say = values.json ? () => {} : (line: string) => console.log(line)
  await using stack = new AsyncDisposableStack()
  stack.defer(await setup())
  const report = await runChaos({ seed, kills, executor, maxMs: MAX_MS, say })
  console.log(JSON.stringify(report, undefined, values.json ? undefined : 2))
  const isWhole = report.kills === kills && report.acknowledged.services > 0
  if (report.problems.length > 0 || !isWhole) process.exitCode = 1
}

await main()
