import { splitContainer } from '../../config/files/container-name.ts'
import { canonicalToolchain } from '../../config/files/toolchains.ts'
import type { AvailableExecutor, NodeFacts, ReceivedService } from '../contract.ts'
import { addressMatcher } from './address-matcher.ts'
import { joinSorted } from './reasons.ts'

/** The pool of a service, or why it has none. */
export type PoolChoice =
  | { readonly name: string; readonly executor: AvailableExecutor }
  | { readonly why: string; readonly executor?: undefined; readonly name?: undefined }

type PooledService = Pick<ReceivedService, 'author' | 'toolchain' | 'code' | 'resources'>

/** What a content id in base32 begins with that names the plain bytes of an image's manifest. */
const IMAGE = 'bafk'

/**
 * The first container of CONTAINERS that belongs to the author, has all toolchains of the service, is there, and is as
 * large as what the service asks for.
 */
export function choosePool(
  service: PooledService,
  { config, capacity }: Pick<NodeFacts, 'config' | 'capacity'>,
): PoolChoice {
  const { CONTAINERS } = config
  if (CONTAINERS.length === 0) return { why: 'CONTAINERS is empty' }
  const isAuthor = addressMatcher(service.author)
  const own = CONTAINERS.filter((container) => isAuthor(splitContainer(container)?.owner ?? ''))
  if (own.length === 0) return { why: 'no pool belongs to the author' }
  const needed = service.toolchain.map(canonicalToolchain).filter((word) => word !== 'docker')
  const fitting = own.filter((container) => {
    const { toolchains = [] } = splitContainer(container) ?? {}
    return needed.every((word) => toolchains.includes(word))
  })
  if (fitting.length === 0) return { why: "no pool of the author's has all its toolchains" }
  if (service.code.startsWith(IMAGE)) return { why: 'its code is an image, which is a container of its own' }
  const executor = capacity.executors.find(({ name }) => name === 'pool')
  const there = (executor?.pools ?? []).filter(({ name }) => fitting.includes(name))
  const large = there.filter(({ memoryBytes, cpuMillicores, pids }) => {
    const { memory, cpu, pids: processes } = service.resources
    return memory <= memoryBytes && cpu <= cpuMillicores && processes <= pids
  })
  const names = new Set(large.map(({ name }) => name))
  const name = fitting.find((container) => names.has(container))
  if (executor !== undefined && name !== undefined) return { name, executor }
  const which = joinSorted(fitting, 2)
  if (there.length === 0)
    return {
      why: `${which} would take it and is not there: "thundercloud pool create ${fitting[0]} --image IMAGE" makes it`,
    }
  return {
    why: `${joinSorted(
      there.map((pool) => pool.name),
      2,
    )} has less memory, cpu or pids than it asks for`,
  }
}
