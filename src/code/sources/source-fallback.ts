import type { CID } from '../../../protocols/encoding.ts'
import type { Source } from '../../../protocols/service.ts'
import { isRetryable, messageOf, StoppedError } from '../../base/errors.ts'
import type { Emitter } from '../../base/events.ts'
import { sanitizeText } from '../../base/format.ts'
import { DiskFullError, NoProviderError, StoreFullError, TooLargeError } from '../errors.ts'
import type { CodeEvents } from '../events.ts'
import type { FetchSource } from './child/job.ts'
import { describeSource } from './describe-source.ts'
import type { CodeSources, SourceFetchOptions } from './sources.ts'

/** The sources of one service beside the mesh, in the author's order, for as long as its code is looked for. */
export interface SourceFallback {
  /** There is one that has not been found to be useless. */
  readonly hasMore: boolean
  /**
   * One after another. Throws NoProviderError where none has the code now; `before` says what peers said. Where none is left
   * and one sent more than is allowed, it throws the TooLargeError.
   */
  fetch(code: CID, options: SourceFetchOptions, before: Error): Promise<void>
}

/** Failures that another source cannot mend: of this node's disk, or its end. */
const FATAL = [DiskFullError, StoreFullError, StoppedError]

export function createSourceFallback(
  { events, sources }: { events: Emitter<CodeEvents>; sources: CodeSources | undefined },
  { service, sources: all = [] }: { service?: string | undefined; sources?: readonly Source[] | undefined },
): SourceFallback {
  let tooLarge: TooLargeError | undefined
  const left = new Set(
    all.filter((source): source is FetchSource => ['git', 'https', 'oci', 'registry'].includes(source.type)),
  )

  return {
    get hasMore() {
      return sources !== undefined && left.size > 0
    },
    async fetch(code, options, before) {
      const problems = [before.message]
      const order = [...left]
      for (const [index, source] of order.entries()) {
        try {
          return await sources?.fetch(source, code, options)
        } catch (error) {
          options.signal?.throwIfAborted()
          if (FATAL.some((kind) => error instanceof kind)) throw error
          // a server says what it likes: only where nobody else is left does that end the search
          if (error instanceof TooLargeError) tooLarge = error
          // what a source has does not change: only one that did not answer is asked again
          if (!isRetryable(error)) left.delete(source)
          const problem = sanitizeText(messageOf(error), 400)
          const next = order[index + 1]
          problems.push(problem)
          events.emit('code:source-failed', {
            code: code.toString(),
            ...(service !== undefined && { service }),
            source: describeSource(source),
            problem,
            ...(next && { next: describeSource(next) }),
          })
        }
      }
      if (tooLarge !== undefined && left.size === 0) throw tooLarge
      throw new NoProviderError(problems.join('; '))
    },
  }
}
