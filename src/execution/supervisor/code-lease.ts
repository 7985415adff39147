import type { RunnableService } from '../types.ts'
import { isImage } from './run-spec.ts'
import type { CodeProvider, ObtainedCode, SupervisorComponents } from './types.ts'

/** The code of one run, which the store keeps until this is disposed of. */
export interface CodeLease extends AsyncDisposable {
  /** its folder, once it is here */
  readonly dir: string | undefined
  obtain(options: Parameters<CodeProvider['obtain']>[1]): Promise<string>
}

/**
 * `hasBegun`: an earlier process of the node began the run. It may use its code now, whether or not its executor has been
 * asked for it yet: its files stay from the first moment on, and are looked at before its next start alone.
 */
export function createCodeLease(
  { code }: Pick<SupervisorComponents, 'code'>,
  { service, hasBegun }: { service: RunnableService; hasBegun: boolean },
): CodeLease {
  // an engine has images of its own
  const kept = hasBegun && !isImage(service) ? code.keep(service) : undefined
  let held: ObtainedCode | undefined

  return {
    get dir() {
      return held?.dir
    },
    async obtain(options) {
      held ??= await code.obtain(service, options)
      return held.dir
    },
    async [Symbol.asyncDispose]() {
      kept?.[Symbol.dispose]()
      await held?.release()
    },
  }
}
