import { UnavailableError } from '../../base/errors.ts'

/**
 * Stands between one process of a node and its machine. When the process crashes, its code is still in memory, and what it
 * had begun goes on; from then on, nothing that it does gets through.
 */
export interface Fence {
  readonly isDown: boolean
  down(): void
  /** Throws where it is down. */
  check(): void
}

export function createFence(): Fence {
  let isDown = false
  return {
    get isDown() {
      return isDown
    },
    down() {
      isDown = true
    },
    check() {
      if (isDown) throw new UnavailableError('this process of the simulation has crashed')
    },
  }
}
