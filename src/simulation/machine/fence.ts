import { UnavailableError } from '../../base/errors.ts'
import type { Crash, CrashPoints } from './crash-points.ts'

/** What the code of a crashed process gets for whatever it still tries. */
export class CrashedError extends UnavailableError {
  override readonly name = 'CrashedError'
}

/** Such an error is no failure of a simulation, however it is wrapped. */
export function isOfCrash(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof CrashedError) return true
  return false
}

/**
 * Stands between one process of a node and its machine. When the process crashes, its code is still in memory, and what it
 * had begun goes on; from then on, nothing that it does gets through.
 */
export interface Fence {
  readonly isDown: boolean
  down(): void
  /** Throws where it is down. */
  check(): void
  /** A crash point: the process may end here, and then this throws. So it does where it is down. */
  pass(): void
  /** A crash point where nothing may be thrown: false where the process is gone. */
  survives(): boolean
}

/** `crash`: takes the fence down, and all that the process has of its machine. */
export function createFence({ points, crash }: { points: CrashPoints; crash: (crash: Crash) => void }): Fence {
  let isDown = false
  const fence: Fence = {
    get isDown() {
      return isDown
    },
    down() {
      isDown = true
    },
    check() {
      if (isDown) throw new CrashedError('this process of the simulation has crashed')
    },
    pass() {
      if (!fence.survives()) fence.check()
    },
    survives() {
      if (isDown) return false
      const crashing = points.next()
      if (crashing !== undefined) crash(crashing)
      return !isDown
    },
  }
  return fence
}
