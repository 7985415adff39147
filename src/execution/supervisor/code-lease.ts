import type { RunnableService } from '../types.ts'
import { isImage } from './run-spec.ts'
import type { CodeProvider, ObtainedCode, SupervisorComponents } from './types.ts'

/** The code of one run, which the store keeps until this is disposed of. */
export interface CodeLease extends AsyncDisposable {
  /** its folder, once it is here */
  readonly dir: string | undefined
  obtain(options: Parameters<CodeProvider['obtain']>[1]): Promise<string>
  /** For a run that was adopted: it uses its code already. Where that takes a network, the run does not wait for it. */
  retain(signal: AbortSignal): void
}

export function createCodeLease(
  { code }: Pick<SupervisorComponents, 'code'>,
  { service }: { service: RunnableService },
): CodeLease {
  let held: ObtainedCode | undefined
  let disposed = false

  /** One lease is enough: that of an adopted run may come while its next start has asked, too. */
  function hold(obtained: ObtainedCode): ObtainedCode {
    if (held === undefined && !disposed) held = obtained
    else void obtained.release()
    return held ?? obtained
  }

  return {
    get dir() {
      return held?.dir
    },
    async obtain(options) {
      return (held ?? hold(await code.obtain(service, options))).dir
    },
    retain(signal) {
      if (isImage(service) || held !== undefined) return
      code.obtain(service, { signal, diskBytes: Number.POSITIVE_INFINITY, onProgress: () => {} }).then(hold, () => {})
    },
    async [Symbol.asyncDispose]() {
      disposed = true
      await held?.release()
    },
  }
}
