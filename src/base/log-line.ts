/** `out`, `err`: what the service wrote. `node`: what the node has to say about it. */
export type LogStream = 'out' | 'err' | 'node'
/** One line of a run's log. `at` in ms. */
export type LogLine = { readonly stream: LogStream; readonly at: number; readonly line: string }
