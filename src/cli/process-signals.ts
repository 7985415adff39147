import type { Clock, Timer } from '../base/clock.ts'
import { errnoOf } from '../base/errors.ts'
import { InterruptedError } from './errors.ts'

/** The process's signals, as an AbortSignal and a call for SIGHUP. Disposed, it keeps nothing alive. */
export interface ProcessEvents extends Disposable {
  readonly signal: AbortSignal
  /** Calls back on SIGHUP, at once where one came before. */
  onReload(listener: () => void): Disposable
  /** From now on SIGHUP, also one that came before, ends the program like SIGTERM. */
  endOnHangup(): void
}

/** SIGHUP, caught from the program's first moment on: it may come before it has a meaning. */
export type Hangup = { came: boolean; notify: (() => void) | undefined }

/** npm passes on the Ctrl-C that the terminal has sent to its child already: one key press, two signals. */
const SAME_INTERRUPT_MS = 1000

/**
 * The first SIGINT or SIGTERM aborts the signal. Signals of the next second count as the same one; after that our
 * listeners are gone, so that a later one ends the process in the system's own way. The end of the IPC channel, where a
 * parent made one, and of the program that reads the output abort the signal, too.
 */
export function watchSignals(
  self: Pick<NodeJS.Process, 'on' | 'once' | 'off' | 'send' | 'stdout' | 'stderr'>,
  hangup: Hangup,
  clock: Pick<Clock, 'after'>,
): ProcessEvents {
  const controller = new AbortController()
  const end = (what: string, exitCode: number) => controller.abort(new InterruptedError(what, exitCode))
  let same: Timer | undefined
  const stopListening = () => {
    self.off('SIGINT', onInterrupt)
    self.off('SIGTERM', onTerminate)
  }
  const endBySignal = (what: string, exitCode: number) => {
    end(what, exitCode)
    same ??= clock.after(SAME_INTERRUPT_MS, stopListening)
  }
  const onInterrupt = () => endBySignal('interrupted', 130)
  const onTerminate = () => endBySignal('terminated', 143)
  const onOrphaned = () => end('the parent process is gone', 0)
  const onPipe = (error: Error) => {
    if (errnoOf(error) === 'EPIPE') end('the output was closed', 0)
    else throw error
  }
  self.on('SIGINT', onInterrupt)
  self.on('SIGTERM', onTerminate)
  self.stdout.on('error', onPipe)
  self.stderr.on('error', onPipe)
  // listening for it keeps the channel open, so only where there is one
  if (self.send !== undefined) self.once('disconnect', onOrphaned)
  return {
    signal: controller.signal,
    onReload(listener) {
      hangup.notify = listener
      if (hangup.came) listener()
      return {
        // while it stops there is nothing to read again
        [Symbol.dispose]() {
          hangup.notify = undefined
        },
      }
    },
    endOnHangup() {
      hangup.notify = () => end('the terminal is gone', 129)
      if (hangup.came) hangup.notify()
    },
    [Symbol.dispose]() {
      same?.cancel()
      stopListening()
      self.off('disconnect', onOrphaned)
    },
  }
}
