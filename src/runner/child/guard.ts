import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { WRITE_FD } from './pipe.ts'

/** Reads where nothing is ever sent: the read ends when the host does, even if this process hangs in a loop. */
const WATCH = `require('node:fs').readSync(${WRITE_FD}, Buffer.alloc(1)); process.kill(process.pid, 'SIGKILL')`

/**
 * Ends this process together with its host, also when the module never returns: the watcher has a thread of its own.
 * Needs --allow-worker, which is given up before the module runs. False where Node can not give it up.
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
