import type { Clock } from '../../../base/clock.ts'
import { messageOf, UnavailableError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { LogLimits } from '../../logs/writer.ts'
import type { Plan, WarmStarts } from '../../types.ts'
import type { UserIds } from '../../user-ids.ts'
import { neverWarm, warmProgramOf } from '../../warm/cold-reason.ts'
import { createWarmPool } from '../../warm/pool.ts'
import type { CgroupRoots } from '../cgroup-roots.ts'
import type { HostHandle } from '../run.ts'
import type { Sandbox } from '../sandbox-probe.ts'
import { beginWarm } from './begin.ts'
import { createWarmSandbox, versionOf } from './sandbox.ts'
import type { WarmSandbox } from './types.ts'

type Machine = { readonly sandbox: Sandbox; readonly groups: CgroupRoots }

export type WarmStartsInit = {
  /** the Node.js that services run with */
  readonly node: string
  readonly logs: LogLimits
  machine(): Promise<Machine>
  /** The folder and the control group of a warm sandbox. */
  placeOf(id: string): { readonly dir: string; readonly groupName: string }
  /** Ends what is left of a warm sandbox that no run has. */
  remove(id: string): Promise<void>
  /** A run has it. */
  forget(id: string): void
}

/** How a run begins; `started`: it did, in a warm sandbox. `uid`: the user that it has, where it begins cold after all. */
export type WarmBegin = {
  readonly start: string | undefined
  readonly started: boolean
  readonly uid?: number | undefined
}

/** What the host keeps warm, and the starts that take it. */
export interface HostWarmStarts extends AsyncDisposable {
  /** Resolves when it is there, as far as it can be. */
  keep(wanted: WarmStarts, options?: { renew?: boolean | undefined }): Promise<void>
  /** Starts the plan in a warm sandbox that fits, if there is one. Rejects when it may have begun and then failed. */
  begin(plan: Plan, options: Machine & { readonly handle: HostHandle }): Promise<WarmBegin>
}

export function createWarmStarts(
  { clock, log, userIds }: { clock: Clock; log: Log; userIds: UserIds | undefined },
  init: WarmStartsInit,
): HostWarmStarts {
  const { node } = init
  let wanted: WarmStarts | undefined
  let renewing = false
  const pool = createWarmPool(
    { clock, log },
    {
      version: () => versionOf(node),
      never: neverWarm,
      programOf: warmProgramOf,
      async create(id, warmClass) {
        const { sandbox, groups } = await init.machine()
        if (userIds === undefined || !('bwrap' in sandbox)) throw new UnavailableError('there is no sandbox')
        const uid = userIds.claim(id)
        return createWarmSandbox(clock, { ...init.placeOf(id), id, warmClass, bwrap: sandbox.bwrap, groups, uid, node })
      },
      async remove(id) {
        await init.remove(id)
        userIds?.release(id)
      },
    },
  )

  /** Why nothing can be kept warm here; undefined where it can. */
  function impossible({ sandbox }: Machine): string | undefined {
    if (userIds === undefined) return 'sandboxes are kept warm only where the node is root'
    return 'bwrap' in sandbox ? undefined : 'sandboxes are kept warm only with bubblewrap'
  }

  async function beginIn(warm: WarmSandbox, begin: Parameters<typeof beginWarm>[2]): Promise<WarmBegin> {
    let ordered = false
    try {
      userIds?.transfer(warm.id, begin.plan.runId)
      await beginWarm(clock, warm, begin, () => {
        ordered = true
      })
      init.forget(warm.id)
      return { start: begin.start, started: true }
    } catch (error) {
      warm.end()
      if (ordered) throw error
      log.warn('a run did not begin in a warm sandbox, and begins cold', { reason: messageOf(error) })
      await init.remove(warm.id)
      return { start: 'cold start: a warm sandbox failed', started: false, uid: warm.uid }
    }
  }

  return {
    async keep(next, options) {
      wanted = next
      renewing ||= options?.renew === true
      if (userIds === undefined || (next.gateways === 0 && next.classes.length === 0)) {
        return await pool.keep({ classes: [], gateways: 0, freeBytes: () => 0 })
      }
      const machine = await init.machine()
      // a later call does it
      if (wanted !== next || impossible(machine) !== undefined) return
      const { memory, pids } = machine.groups.roots
      const limited = memory !== undefined && pids !== undefined
      const renew = renewing
      renewing = false
      const noClasses = limited ? undefined : 'no control group limits memory and processes here'
      await pool.keep(next, { renew, noClasses })
    },
    async begin(plan, { handle, sandbox, groups }) {
      if (wanted === undefined || (wanted.gateways === 0 && wanted.classes.length === 0)) {
        return { start: undefined, started: false }
      }
      const reason = impossible({ sandbox, groups })
      if (reason !== undefined || plan.codeDir === undefined || !('bwrap' in sandbox)) {
        return { start: `cold start: ${reason ?? 'it has no code'}`, started: false }
      }
      const { warm, program, start } = await pool.take(plan)
      if (warm === undefined) return { start, started: false }
      const { bwrap } = sandbox
      const { codeDir } = plan
      try {
        return await beginIn(warm, {
          plan: { ...plan, codeDir },
          handle,
          program,
          start,
          bwrap,
          groups,
          logs: init.logs,
        })
      } finally {
        void pool.refill()
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
