import { type ExecutorName, LISTED_EXECUTORS } from '../../base/verdict.ts'
import { executorOfList } from '../../config/files/listed-executors.ts'
import { canonicalToolchain, findToolchain } from '../../config/files/toolchains.ts'
import type { AvailableExecutor, ReceivedService } from '../contract.ts'
import { decideNetwork, grantBy } from './network-grant.ts'
import { choosePool } from './pool.ts'
import type { RuleContext } from './rule.ts'

export type ExecutorChoice = {
  /** those that are there and would take it, the preferred one first */
  readonly executors: readonly AvailableExecutor[]
  /** those whose list of toolchains has all of the service's, there or not */
  readonly listed: readonly ExecutorName[]
  /** toolchains that keep the service out of the list that it comes nearest to */
  readonly missing: readonly string[]
}

/** Of a toolchain that nobody here knows, an executor cannot tell; the operator has listed it. */
export function hasToolchain({ toolchains }: AvailableExecutor, word: string): boolean {
  return toolchains === undefined || toolchains.includes(word) || findToolchain(word) === undefined
}

/** Where a service could run, by CONTAINERS and PREFER_TOOLCHAIN, and by what is there. Of two of one kind the order of the node counts. */
export function chooseExecutor(service: ReceivedService, node: RuleContext): ExecutorChoice {
  const all = new Set(service.toolchain.map(canonicalToolchain))
  const needed = [...all].filter((word) => word !== 'docker')
  const names = all.has('docker') ? LISTED_EXECUTORS.slice(0, 1) : LISTED_EXECUTORS
  const own = service.author === node.own
  let missing: readonly string[] | undefined
  const listed: ExecutorName[] = []
  for (const name of names) {
    const list = node.config.PREFER_TOOLCHAIN[name]
    const absent = needed.filter((word) => !list.includes(word))
    // an empty list gives nothing, also to what asks for a container and no more
    if (absent.length === 0 && all.size > 0 && list.length > 0) listed.push(executorOfList(name, node.config))
    if (missing === undefined || absent.length < missing.length) missing = absent
  }
  const takes = (executor: AvailableExecutor) =>
    (!executor.ownOnly || own) && needed.every((word) => hasToolchain(executor, word))
  const { executor: pool } = choosePool(service, node)
  const others = listed.flatMap((name) =>
    node.capacity.executors.filter((executor) => executor.name === name && takes(executor)),
  )
  return { executors: pool === undefined ? others : [pool, ...others], listed, missing: missing ?? [] }
}

/** The one that would run it: the first that can give the network that NETCAP allows it, else the first. */
export function executorFor(service: ReceivedService, node: RuleContext): AvailableExecutor | undefined {
  const { executors } = chooseExecutor(service, node)
  const answer = decideNetwork(service.network, node.config.NETCAP)
  return executors.find((candidate) => grantBy(candidate, answer) !== undefined) ?? executors[0]
}
