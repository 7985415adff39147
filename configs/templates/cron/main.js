import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_SECONDS = Number(process.env.EVERY_SECONDS ?? 60)
const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())

async function job() {
  console.log(`it is ${new Date().toISOString()}`)
}

// At whole multiples of EVERY_SECONDS in UTC. A time that passes while no node runs the service, or during a job, is left out.
while (!stopping.signal.aborted) {
  await job().catch((error) => console.error('the job failed', error))
  const everyMs = EVERY_SECONDS * 1000
  await sleep(everyMs - (Date.now() % everyMs), undefined, { signal: stopping.signal }).catch(() => {})
}
