import { mkdir, readFile } from 'node:fs/promises'
import { type Machine, systemMachine } from '../../admission/facts/host-resources.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disk, systemDisk } from '../../base/os/disk.ts'
import { lockFolder } from '../../base/os/pid-lock.ts'
import type { Rng } from '../../base/rng.ts'
import type { CodeComponents } from '../../code/index.ts'
import { type Configuration, rangeOf } from '../../config/index.ts'
import { type EgressComponents, machineNetwork } from '../../egress/index.ts'
import { createExecutors } from '../../execution/executors.ts'
import { createUserIds, type Executor, mappedRange, type Pools, type UserIds } from '../../execution/index.ts'
import { openJournal } from '../../journal/index.ts'
import type { NetworkComponents } from '../../network/index.ts'

/** What a node takes from the machine that it is on, in one place: a simulation hands in another machine. */
export interface Platform {
  /** What the machine has. */
  readonly machine: Machine
  /** Names and addresses outside of the mesh, for downloads and for what runs. */
  readonly internet: EgressComponents
  /** How the node reaches its peers. */
  readonly host: NetworkComponents['host']
  /** Of the node's own files; what runs has others. */
  readonly disk: Disk
  /** How code is compressed and unpacked. */
  readonly code: Pick<CodeComponents, 'zstd' | 'unpacker'>
  /** One node owns a data folder, which it makes. */
  readonly openFolder: (dataDir: string) => Promise<AsyncDisposable>
  readonly openJournal: typeof openJournal
  /** Users for runs; undefined where the node can give them none. */
  readonly openUserIds: (configuration: Pick<Configuration, 'dataDir' | 'policy'>) => Promise<UserIds | undefined>
  readonly createExecutors: (...parameters: Parameters<typeof createExecutors>) => Promise<Executors>
}

/** The ways to run a service, best first, and the pools that can be made. */
type Executors = { readonly executors: readonly Executor[]; readonly pools: Pools } & AsyncDisposable

export function systemPlatform({ clock, rng }: { clock: Clock; rng: Rng }, { dataDir }: { dataDir: string }): Platform {
  return {
    machine: systemMachine(dataDir),
    internet: machineNetwork(clock),
    host: undefined,
    disk: systemDisk(),
    code: {},
    async openFolder(dir) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      return await lockFolder(dir)
    },
    openJournal,
    openUserIds: (configuration) => openUserIds({ rng }, configuration),
    async createExecutors(components, init) {
      const { executors, pool, [Symbol.asyncDispose]: end } = await createExecutors(components, init)
      return { executors: [...executors, pool], pools: pool.pools, [Symbol.asyncDispose]: end }
    },
  }
}

/** Claims of all nodes of this machine. Beside the folder of sockets, because that one lets services through. */
const CLAIMS = '/run/thundercloud-uids'

/** Only root can give a run a user of its own. */
async function openUserIds(
  components: { readonly rng: Rng },
  { dataDir, policy }: Pick<Configuration, 'dataDir' | 'policy'>,
): Promise<UserIds | undefined> {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return undefined
  const range = mappedRange(rangeOf(policy.config.HOST.UIDS), await readFile('/proc/self/uid_map', 'utf8'))
  return createUserIds(components, { range, dir: CLAIMS, owner: dataDir })
}
