import { lstat } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { SOCKET_LOOK_MS } from './constants.ts'
import { listenForOperator } from './serve.ts'
import type { Api } from './types.ts'

export type OperatorSocketInit = {
  readonly clock: Clock
  readonly log: Log
  /** Creates the parent of the socket's folder if it is missing. */
  prepare(): Promise<unknown>
}

/**
 * Serves an API to the operator alone, without a token: on a unix socket in `folder`, which is made, and made again within
 * a minute if it was removed. Disposing it removes both.
 */
export async function serveOperator(
  api: Api,
  folder: string,
  { clock, log, prepare }: OperatorSocketInit,
): Promise<{ readonly path: string } & AsyncDisposable> {
  let socket = await listenForOperator(api, folder)
  const { path } = socket
  let looking: Promise<void> | undefined
  let missing = false

  async function look(): Promise<void> {
    const there = await lstat(path).then(
      (found) => found.isSocket(),
      () => false,
    )
    if (there) return
    try {
      socket.leave()
      await prepare()
      socket = await listenForOperator(api, folder)
      missing = false
      log.warn(`the operator's socket was removed, and is there again: ${path}`)
    } catch (error) {
      if (!missing) log.error(`the operator's socket ${path} is gone and cannot be made again: ${messageOf(error)}`)
      missing = true
    }
  }
  const timer = clock.every(SOCKET_LOOK_MS, () => {
    looking ??= look().finally(() => {
      looking = undefined
    })
  })
  return {
    path,
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await looking
      await socket[Symbol.asyncDispose]()
    },
  }
}
