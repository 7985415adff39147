import { ThundercloudError } from '../../base/errors.ts'
import { readClientRegistries } from '../../config/index.ts'
import { emptyNode } from '../../policy/empty-node.ts'
import type { AvailableExecutor, NodeFacts, RunningService } from '../../runner/index.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'
import type { Candidate } from './candidate.ts'
import { ownAddress } from './executor-option.ts'

type Free = Omit<NodeFacts['capacity'], 'executors'>

/** The node that a candidate is evaluated for: the running one, else its folder's, else none. */
export type NodeContext = {
  readonly own: string
  readonly free: Free
  readonly running: readonly RunningService[]
  /** undefined: not known */
  readonly executors: readonly AvailableExecutor[] | undefined
  readonly clientRegistries: NodeFacts['clientRegistries']
  readonly assumed: readonly string[]
}

export async function loadNodeContext(cli: Cli, { folder, draft }: Candidate): Promise<NodeContext> {
  const { config } = draft.policy
  const facts = await factsOfNode(cli, folder)
  const own = facts?.own ?? (await ownAddress(cli, folder))
  const { executors: _none, here: _no, ...all } = emptyNode(config, { own, executors: [] }).capacity
  if (facts === undefined) {
    const whose =
      folder === undefined
        ? 'no folder of a node is named: no service counts as its own'
        : `no node runs in ${folder.dir}`
    const clientRegistries = await readClientRegistries(cli.env)
    return { own, free: all, running: [], executors: undefined, clientRegistries, assumed: [whose] }
  }
  // what runs goes on running; the candidate gives away more than before, or less
  const { capacity, running, clientRegistries, config: inForce } = facts
  const { executors: _there, here: _here, ...before } = emptyNode(inForce, { own, executors: [] }).capacity
  const left = (key: keyof typeof all) => all[key] - (before[key] - capacity[key])
  const free = {
    memoryBytes: left('memoryBytes'),
    cpuMillicores: left('cpuMillicores'),
    diskBytes: left('diskBytes'),
    pids: left('pids'),
    runs: left('runs'),
    here: capacity.here,
  }
  const assumed = ['it is received by the node that runs now']
  return { own, free, running, executors: capacity.executors, clientRegistries, assumed }
}

/** What the running node says of itself; undefined where none runs, or none can be asked. */
async function factsOfNode(cli: Cli, folder: Candidate['folder']): Promise<NodeFacts | undefined> {
  if (folder === undefined && cli.globals.api === undefined) return undefined
  try {
    const client = await nodeClient(cli)
    return (await client.policy({ signal: cli.signal })).facts
  } catch (error) {
    cli.signal.throwIfAborted()
    // an address that was named must answer
    if (cli.globals.api !== undefined || !(error instanceof ThundercloudError)) throw error
    return undefined
  }
}
