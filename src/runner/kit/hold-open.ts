/** Keeps the event loop going until it is disposed: no timer of ours does, and a process that is gone no longer does. */
export function holdOpen(): Disposable {
  const { port1 } = new MessageChannel()
  port1.onmessage = () => {}
  return { [Symbol.dispose]: () => port1.close() }
}
