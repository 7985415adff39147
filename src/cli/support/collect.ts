import { readdir, readFile, stat } from 'node:fs/promises'
import { availableParallelism, freemem, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { ApiClient } from '../../api/client/client.ts'
import { nowSeconds } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { loadRunnersFolder } from '../../config/index.ts'
import { checkAll } from '../checks/all.ts'
import type { Cli } from '../cli.ts'
import { nodeClient } from '../client/node-client.ts'

/** Enough to see what goes on, and small enough to be read by a person before it is sent. */
const MAX_ITEMS = 200
const MAX_SETTINGS_BYTES = 1024 * 1024

export type Section = { readonly name: string; readonly about: string; readonly value: unknown }

/** What is collected, before anything is taken out of it. What cannot be had says why. */
export async function collect(cli: Cli, folder: string): Promise<Section[]> {
  const sections: Section[] = []
  for (const [name, about, read] of [...ofMachine(cli, folder), ...ofNode(cli)]) {
    const value = await read().catch((error: unknown) => {
      cli.signal.throwIfAborted()
      return { problem: messageOf(error) }
    })
    sections.push({ name, about, value })
  }
  return sections
}

type Source = readonly [name: string, about: string, read: () => Promise<unknown>]

function ofMachine(cli: Cli, folder: string): Source[] {
  const { version, clock, env, signal } = cli
  const settings = async () => {
    // where the settings are wrong, they are wanted all the more
    const usual = { configFile: join(folder, 'runners/andromeda/config.json') }
    const { configFile } = await loadRunnersFolder(folder, { env, signal }).catch(() => usual)
    const files = { 'node.json': '', 'services.json': '', 'hub.json': '', 'config.json': dirname(configFile) }
    const read = Object.entries(files).map(async ([name, dir]) => [name, await readSettings(join(dir || folder, name))])
    return Object.fromEntries(await Promise.all(read))
  }
  return [
    [
      'program',
      'versions of the program, of Node.js and of the system; processors and memory',
      async () => ({
        ...{ version, at: nowSeconds(clock), node: process.versions.node },
        ...{ platform: process.platform, arch: process.arch, system: release(), root: process.getuid?.() === 0 },
        ...{ processors: availableParallelism(), memoryBytes: totalmem(), freeBytes: freemem() },
      }),
    ],
    ['checks', 'what `thundercloud doctor` found', () => checkAll(cli, folder)],
    ['settings', 'node.json, services.json, hub.json and the config.json of the runner', settings],
    ['files', 'names, sizes and permissions in the folder, two levels deep', () => listFiles(folder)],
  ]
}

function ofNode(cli: Cli): Source[] {
  const { signal } = cli
  const ask = (question: (client: ApiClient) => Promise<unknown>) => async () => question(await nodeClient(cli))
  const few = <T>(items: readonly T[]) => ({ count: items.length, first: items.slice(0, MAX_ITEMS) })
  return [
    ['health', 'what the node says of itself', ask((client) => client.health({ signal }))],
    [
      'peers',
      'its neighbours without their addresses: direction, score, round trip',
      ask(async (client) => few((await client.peers({ signal })).map(({ multiaddr: _, ...peer }) => peer))),
    ],
    [
      'services',
      'states of services, without their descriptions and logs',
      ask(async (client) =>
        few(
          (await client.services({ signal })).map(({ id, name, kind, state, via, run, parked, placement }) => {
            return { id, name, kind, state, via, run, parked, placement }
          }),
        ),
      ),
    ],
    [
      'policy',
      'the hash of the policy, what its rules said, and what of the limits is used',
      ask(async (client) => {
        const { hash, counts, parked, facts } = await client.policy({ signal })
        return { hash, counts, parked, capacity: facts.capacity, running: facts.running.length }
      }),
    ],
    ['drain', 'how far a drain is', ask((client) => client.drainView({ signal }))],
    [
      'blocks',
      'what is blocked, without the notes',
      ask(async (client) => few((await client.blocks.list({ signal })).map(({ note: _, ...block }) => block))),
    ],
    [
      'audit',
      'what was done with the API',
      ask(async (client) => few(await client.access.audit(MAX_ITEMS, { signal }))),
    ],
  ]
}

async function readSettings(path: string): Promise<unknown> {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) return undefined
  if (info.size > MAX_SETTINGS_BYTES) return { problem: `it has ${info.size} bytes` }
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch {
    // what cannot be read as fields cannot be redacted by their names
    return { problem: 'it is no JSON without comments' }
  }
}

async function listFiles(folder: string): Promise<unknown> {
  const top = await readdir(folder, { withFileTypes: true })
  const below = top.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const names = await Promise.all(
    below.map(async (dir) => (await readdir(join(folder, dir)).catch(() => [])).map((name) => `${dir}/${name}`)),
  )
  const all = [...top.filter((entry) => !entry.isDirectory()).map(({ name }) => name), ...names.flat()]
  const listed = all.slice(0, MAX_ITEMS).map(async (name) => {
    const info = await stat(join(folder, name)).catch(() => undefined)
    return { name, bytes: info?.size, mode: info === undefined ? undefined : (info.mode & 0o777).toString(8) }
  })
  return { count: all.length, first: await Promise.all(listed) }
}
