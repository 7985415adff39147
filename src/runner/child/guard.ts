import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { GUARD_FD } from './pipe.ts'

/** Event-driven, so that the thread can be stopped when the process ends by itself. */
const WATCH = `
  const { Socket } = require('node:net')
  const end = () => process.kill(process.pid, 'SIGKILL')
  new Socket({ fd: ${GUARD_FD}, readable: true, writable: false }).on('end', end).on('error', end).resume()
`

/**
 * Ends this process together with its host, also when the module never returns: the watcher has a thread of its own.
 * Needs --allow-worker, which is given up before the module runs. False where Node cannot give it up.
 */
export async function endWithHost(): Promise<boolean> {
  if (process.permission?.has('worker') !== true) return false
  const worker = new Worker(WATCH, {
    eval: true,
    resourceLimits: { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 },
  })
  await once(worker, 'online')
  worker.unref()
  return true
}
