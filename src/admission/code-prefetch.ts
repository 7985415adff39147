import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { createWorkQueue } from '../base/work-queue.ts'

/** Code of parked services is not urgent: code of runs comes first. */
const AT_ONCE = 2
/** Statements about many codes at once do not make a node fetch all of them. */
const MAX_WAITING = 64

export interface CodePrefetchComponents {
  log: Log
  /** Fetches and unpacks the code of a service, in bounded time. */
  prefetch(id: string, options: { signal: AbortSignal }): Promise<void>
}

/** Fetches the code of services that are soon to start. A run that begins meanwhile shares what is under way. */
export function createCodePrefetch({ log, prefetch }: CodePrefetchComponents, { closing }: { closing: AbortSignal }) {
  const under = new Set<string>()
  const queue = createWorkQueue({ name: 'fetching ahead', concurrency: AT_ONCE, max: MAX_WAITING })
  return {
    add(id: string): void {
      if (under.has(id) || closing.aborted) return
      under.add(id)
      void queue
        .add(async () => {
          if (!closing.aborted) await prefetch(id, { signal: closing })
        })
        .catch((error: unknown) => {
          if (!closing.aborted) log.debug('code was not fetched ahead', { id, reason: messageOf(error) })
        })
        .finally(() => under.delete(id))
    },
    idle: () => queue.idle(),
  }
}
