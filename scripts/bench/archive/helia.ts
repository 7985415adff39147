import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('./helia/', import.meta.url))

/** Installs Helia into its own folder, where it is missing. Why it could not be, or undefined. */
export function installHelia(): string | undefined {
  if (existsSync(`${FOLDER}node_modules/helia/package.json`)) return undefined
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: FOLDER, stdio: 'ignore' })
    return undefined
  } catch (error) {
    return `Helia could not be installed (${(error as Error).message})`
  }
}

/** Two peers of Helia, connected, each in its own process. */
export async function openHelia() {
  const start = () => {
    const child = fork(`${FOLDER}peer.mjs`, { execArgv: [] })
    return { child, gone: once(child, 'exit') }
  }
  const [there, here] = [start(), start()]
  const next = async ({ child, gone }: typeof there) => {
    const ended = gone.then(([status]) => Promise.reject(new Error(`Helia ended with ${status}`)))
    return (await Promise.race([once(child, 'message'), ended]))[0]
  }
  const ask = (peer: typeof there, order: object) => {
    const answer = next(peer)
    peer.child.send(order)
    return answer
  }
  const [{ address }] = await Promise.all([next(there), next(here)])
  await ask(here, { dial: address })
  return {
    /** Makes new bytes at the one, and takes them to the other: how long that took, in ms. */
    async fetch(bytes: number): Promise<number> {
      const { cid } = await ask(there, { add: bytes })
      return (await ask(here, { fetch: cid, bytes })).ms
    },
    async [Symbol.asyncDispose]() {
      for (const { child } of [there, here]) if (child.connected) child.disconnect()
      await Promise.all([there.gone, here.gone])
    },
  }
}
