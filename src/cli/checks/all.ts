import type { Cli } from '../cli.ts'
import type { Check } from './check.ts'
import { checkFolder } from './folder.ts'
import { checkClock, checkDisk, checkExecutors, checkNodeVersion } from './machine.ts'
import { checkRunningNode } from './running-node.ts'
import { checkStore } from './store.ts'
import { checkWarmStarts } from './warm-starts.ts'

/** Everything that `doctor` looks at. */
export async function checkAll(cli: Cli, folder: string): Promise<Check[]> {
  const { clock, env, rng, signal } = cli
  const { checks: ofFolder, configuration, peerId } = await checkFolder(folder, env, signal)
  const origins = configuration?.policy.staticNodes.origins ?? []
  const root = process.getuid?.() === 0
  const executors = await checkExecutors(clock, configuration, { env, rng, signal, peerId })
  const machine = { root, available: executors.available }
  return [
    checkNodeVersion(process.versions.node),
    ...ofFolder,
    ...(await checkRunningNode(cli, folder)),
    ...executors.checks,
    ...(configuration === undefined ? [] : checkWarmStarts(configuration.policy.config, machine)),
    ...(configuration === undefined ? [] : [await checkStore(clock, configuration, signal)]),
    await checkClock(clock, { folder: configuration?.dir, origins }),
    await checkDisk(configuration?.dataDir ?? cli.cwd),
  ]
}
