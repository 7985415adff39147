import type { Terminal } from './confirm.ts'

/** Calls back with each key that a person types, which is not shown: also with Ctrl-C, which is no signal meanwhile. Nothing happens without a terminal. */
export function watchKeys(onKey: (key: string) => void, { stdin }: { stdin?: Terminal | undefined }): Disposable {
  if (stdin?.isTTY !== true) return { [Symbol.dispose]() {} }
  const onData = (piece: Buffer | string) => {
    for (const key of piece.toString()) onKey(key)
  }
  stdin.setRawMode?.(true)
  stdin.on('data', onData)
  stdin.resume()
  return {
    [Symbol.dispose]() {
      stdin.off('data', onData)
      stdin.setRawMode?.(false)
      stdin.pause()
    },
  }
}
