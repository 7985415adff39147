import { MessageChannel } from 'node:worker_threads'

/**
 * Keeps the program alive until disposed. The house's timers do not, so that a forgotten one cannot hang a program;
 * a command that waits for one would otherwise end in the middle.
 */
export function keepAlive(): Disposable {
  const { port1 } = new MessageChannel()
  port1.on('message', () => {})
  return { [Symbol.dispose]: () => port1.close() }
}
