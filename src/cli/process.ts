import { errnoOf } from '../base/errors.ts'
import { InterruptedError } from './errors.ts'

/** What the system tells this process, as a signal that aborts and a call for SIGHUP. Disposed, it keeps nothing alive. */
export interface ProcessEvents extends Disposable {
  readonly signal: AbortSignal
  /** Calls back on SIGHUP, at once where one came before. */
  onReload(listener: () => void): Disposable
  /** From now on SIGHUP, also one that came before, ends the program like SIGTERM. */
  endOnHangup(): void
}

/** SIGHUP, caught from the program's first moment on: it comes before anybody knows what it means. */
export type Hangup = { came: boolean; tell: (() => void) | undefined }

/**
 * The first SIGINT or SIGTERM aborts the signal; with it our listener is gone, so that a second one ends the process in
 * the system's own way. So does the end of the IPC channel, where a parent made one, and of whoever reads the output.
 */
export function openProcess(self: NodeJS.Process, hangup: Hangup): ProcessEvents {
  const controller = new AbortController()
  const end = (what: string, exitCode: number) => controller.abort(new InterruptedError(what, exitCode))
  const onInterrupt = () => end('interrupted', 130)
  const onTerminate = () => end('told to stop', 143)
  const onOrphaned = () => end('the parent process is gone', 0)
  const onPipe = (error: Error) => {
    if (errnoOf(error) === 'EPIPE') end('nobody reads the output any more', 0)
    else throw error
  }
  self.once('SIGINT', onInterrupt)
  self.once('SIGTERM', onTerminate)
  self.stdout.on('error', onPipe)
  self.stderr.on('error', onPipe)
  // listening for it keeps the channel open, so only where there is one
  if (self.send !== undefined) self.once('disconnect', onOrphaned)
  return {
    signal: controller.signal,
    onReload(listener) {
      hangup.tell = listener
      if (hangup.came) listener()
      return {
        // while it stops there is nothing to read again
        [Symbol.dispose]() {
          hangup.tell = undefined
        },
      }
    },
    endOnHangup() {
      hangup.tell = () => end('the terminal is gone', 129)
      if (hangup.came) hangup.tell()
    },
    [Symbol.dispose]() {
      self.off('SIGINT', onInterrupt)
      self.off('SIGTERM', onTerminate)
      self.off('disconnect', onOrphaned)
    },
  }
}
