import type { Clock } from '../../base/clock.ts'
import type { Journal } from '../../journal/index.ts'

/** By this name the journal remembers the drain. */
const KEY = 'drain'

export type DrainedService = { readonly id: string; readonly name: string }

/** As it is journalled. Times are ms. */
type DrainRecord = {
  readonly since: number
  /** null: runs are waited for however long they take */
  readonly deadline: number | null
  /** The node takes services again. */
  readonly over: boolean
  /** what ran at the deadline, and was stopped */
  readonly cut: readonly DrainedService[]
  /** ids of SERVICES that it stopped: they begin again when it is over */
  readonly own: readonly string[]
}

/** Whether this node is drained, over restarts: a node that begins again is still drained until an operator ends it. */
export interface DrainState {
  readonly active: boolean
  /** The drain in force. */
  current(): Pick<DrainRecord, 'since' | 'deadline' | 'cut'> | undefined
  /** Begins it, or gives the one in force another deadline. */
  begin(deadline: number | null): void
  /** False where there was none. */
  end(): boolean
  /** Journalled before they are stopped: a crash between the two names one too many, and forgets none. */
  cut(services: readonly DrainedService[]): void
  /** One of SERVICES is about to be stopped. */
  stopOwn(id: string): void
  /** Has a drain that is over stopped this one of SERVICES, and did it not begin again since? */
  resumes(id: string): boolean
  resumed(id: string): void
}

export function createDrainState({ clock, meta }: { clock: Clock; meta: Journal['meta'] }): DrainState {
  const saved = meta.get(KEY)
  let record = saved === undefined ? undefined : (JSON.parse(saved) as DrainRecord)
  const current = () => (record?.over === false ? record : undefined)

  function save(next: DrainRecord): void {
    meta.set(KEY, JSON.stringify(next))
    record = next
  }

  return {
    get active() {
      return current() !== undefined
    },
    current,
    begin(deadline) {
      const { since, cut } = current() ?? { since: Math.floor(clock.now()), cut: [] }
      save({ since, deadline, over: false, cut, own: record?.own ?? [] })
    },
    end() {
      const drain = current()
      if (drain === undefined) return false
      save({ ...drain, over: true })
      return true
    },
    cut(services) {
      const drain = current()
      if (drain === undefined) return
      const more = services.filter(({ id }) => !drain.cut.some((one) => one.id === id))
      save({ ...drain, cut: [...drain.cut, ...more] })
    },
    stopOwn(id) {
      if (record !== undefined && !record.own.includes(id)) save({ ...record, own: [...record.own, id] })
    },
    resumes: (id) => record?.over === true && record.own.includes(id),
    resumed(id) {
      if (record?.own.includes(id)) save({ ...record, own: record.own.filter((one) => one !== id) })
    },
  }
}
