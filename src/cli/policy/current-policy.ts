import { join } from 'node:path'
import { ThundercloudError } from '../../base/errors.ts'
import { livingOwner } from '../../base/os/pid-lock.ts'
import { loadPolicyDraft, type Policy } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import type { OperatorFolder } from './candidate.ts'

/** The policy in force: the running node's, whose file may have been edited since, else what the file says. */
export async function loadCurrentPolicy(cli: Cli, folder: OperatorFolder): Promise<Pick<Policy, 'config' | 'hash'>> {
  if ((await livingOwner(join(folder.dataDir, 'node.pid'))) !== undefined) {
    try {
      const client = await nodeClient(cli)
      const { facts, hash } = await client.policy({ signal: cli.signal })
      return { config: facts.config, hash }
    } catch (error) {
      cli.signal.throwIfAborted()
      if (!(error instanceof ThundercloudError)) throw error
      cli.out.note(`The node that runs in ${folder.dir} cannot be asked (${error.message}); its file counts.`)
    }
  }
  const { file, runner, network } = folder
  return (await loadPolicyDraft(runner.configFile, { file, network, signal: cli.signal })).policy
}
