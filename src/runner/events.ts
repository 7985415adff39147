import type { RunnerFailure } from './errors.ts'

/** Events of the runner host. Messages may quote the runner's own text: one line, bounded, printable. */
export type RunnerEvents = {
  /** a process has loaded the module and decides from now on */
  'runner:loaded': { readonly entry: string; readonly pid: number; readonly loadMs: number; readonly swapped: boolean }
  /** the module could not be loaded; a runner that was there before goes on */
  'runner:load-failed': { readonly entry: string; readonly message: string; readonly keepsOld: boolean }
  /** one decision failed; the service is not run and not redirected */
  'runner:failed': { readonly service: string; readonly kind: RunnerFailure; readonly message: string }
  /** the process ended without being asked to; a new one starts after `restartInMs` */
  'runner:died': {
    readonly pid: number
    readonly kind: RunnerFailure
    readonly message: string
    readonly restartInMs: number
  }
}
