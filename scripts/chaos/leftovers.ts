import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import type { ExecutorName } from '../../src/base/verdict.ts'
import { findProgram, runProcess } from '../../src/process/index.ts'
import type { Victim } from './victim.ts'

const DOCKER_MS = 60_000

/** Claims of the user ids of all nodes of this machine. */
const USERS = '/run/thundercloud-uids'

/**
 * What there is on this machine of a node's runs and of what it kept warm, each as one line: processes, mounts, control
 * groups, users, loop devices, containers, folders.
 */
export async function leftoversOf(
  { dir, dataDir }: Victim,
  executor: ExecutorName,
  { runIds, peerId }: { runIds: readonly string[]; peerId: string },
): Promise<string[]> {
  const bare = runIds.map((id) => id.replaceAll('-', ''))
  const users = await usersOf(dataDir)
  // its control groups are named after the end of its peer id
  const isOurs = (text: string) =>
    text.includes(dir) || text.includes(peerId.slice(-16)) || bare.some((id) => text.includes(id))
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
    const { uid = -1 } = await stat(`/proc/${pid}`).catch(() => ({ uid: -1 }))
    if (Number(pid) !== process.pid && (isOurs(command) || users.includes(uid)))
      found.push(`process ${pid}: ${command.slice(0, 200)}`)
  }
  for (const line of (await readFile('/proc/mounts', 'utf8')).split('\n')) if (isOurs(line)) found.push(`mount ${line}`)
  for (const group of await groups()) if (isOurs(group)) found.push(`control group ${group}`)
  for (const device of (await readdir('/sys/block').catch(() => [])).filter((name) => name.startsWith('loop'))) {
    const file = await readFile(`/sys/block/${device}/loop/backing_file`, 'utf8').catch(() => '')
    if (isOurs(file)) found.push(`loop device ${device}: ${file.trim()}`)
  }
  for (const user of users) found.push(`user ${user}`)
  for (const folder of await readdir(join(dataDir, 'runs')).catch(() => [])) found.push(`folder runs/${folder}`)
  if (executor === 'docker') {
    for (const line of await containers())
      if (isOurs(line) || runIds.some((id) => line.includes(id))) found.push(`container ${line}`)
  }
  return found
}

async function usersOf(dataDir: string): Promise<number[]> {
  const names = (await readdir(USERS).catch(() => [])).filter((name) => /^\d+$/.test(name))
  const texts = names.map((name) => readFile(join(USERS, name), 'utf8').catch(() => '{}'))
  const owners = (await Promise.all(texts)).map((text) => (JSON.parse(text) as { owner?: string }).owner)
  return names.filter((_, index) => owners[index] === dataDir).map(Number)
}

async function groups(): Promise<string[]> {
  const controllers = await readdir('/sys/fs/cgroup').catch(() => [])
  const parents = ['/sys/fs/cgroup/thundercloud', ...controllers.map((name) => `/sys/fs/cgroup/${name}/thundercloud`)]
  const names = parents.map(async (parent) => (await readdir(parent).catch(() => [])).map((name) => join(parent, name)))
  return (await Promise.all(names)).flat()
}

async function containers(): Promise<string[]> {
  const format = '{{.Names}} {{.Label "thundercloud.run"}} {{.Status}}'
  const args = ['ps', '-a', '--filter', 'label=thundercloud.run', '--format', format]
  const spec = { kind: 'tool', program: findProgram('docker') ?? 'docker', args } as const
  return (await runProcess(systemClock(), spec, { timeoutMs: DOCKER_MS })).stdout.split('\n')
}
