import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Why hosts with links of their own cannot be made here; undefined where they can. */
export function linksUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces and rate limits (tbf) need root'
  for (const [tool, packageName] of [
    ['ip', 'iproute2'],
    ['tc', 'iproute2'],
    ['chrt', 'util-linux'],
  ] as const) {
    try {
      execFileSync(tool, ['-V'], { stdio: 'ignore' })
    } catch {
      return `the program ${tool} (package ${packageName}) is missing`
    }
  }
  return undefined
}

export type ForkOptions = {
  /** Runs only while no other process needs the processor (SCHED_IDLE), as what another machine does takes nothing of this one. */
  readonly idle?: boolean
  /** What it writes to the folder for temporary files is in memory, as what another machine writes takes nothing of this one's disk. */
  readonly memoryDisk?: boolean
}

/** Hosts on this machine that reach each other through one switch, each over a link of its own. */
export interface Links extends Disposable {
  address(host: number): string
  /** Starts a program of this repository on a host, with an IPC channel. */
  fork(host: number, entry: URL, args?: readonly string[], options?: ForkOptions): ChildProcess
  /** Takes the host's link down, or up again: what is sent meanwhile is lost, and nobody is told. */
  cut(host: number, isDown: boolean): void
  /** Bytes that left the host on its link, headers and all. */
  sentBytes(host: number): number
}

/** What waits for a link, at its rate: more than a round trip needs, less than a delay that would be seen. */
const QUEUE = ['burst', '128kb', 'latency', '50ms']
const MEMORY_DISK_BYTES = 1024 ** 3

/** Runs a command with this folder in memory. `ip netns exec` gives it mounts of its own, which end with it. */
const onMemoryDisk = (folder: string) => [
  'sh',
  '-c',
  'mount -t tmpfs -o size="$1" memory "$2" && export TMPDIR="$2" && shift 2 && exec "$@"',
  'sh',
  `${MEMORY_DISK_BYTES}`,
  folder,
]

/** Network namespaces with a pair of veth each; `tbf` limits both directions of each link. `rateOf`: bits per second of a host's link; undefined: no limit. */
export function createLinks(hosts: number, rateOf: (host: number) => number | undefined): Links {
  const prefix = `thundercloud-${process.pid}`
  const names = [`${prefix}-switch`, ...Array.from({ length: hosts }, (_, host) => `${prefix}-${host}`)]
  const [hub = '', ...hostNames] = names
  const memoryFolder = mkdtempSync(join(tmpdir(), `${prefix}-`))
  const ip = (...args: string[]) => execFileSync('ip', args)
  const limit = (host: number, namespace: string, device: string) => {
    const bitsPerSecond = rateOf(host)
    if (bitsPerSecond === undefined) return
    const rate = ['rate', `${bitsPerSecond}bit`, ...QUEUE]
    execFileSync('tc', ['-n', namespace, 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...rate])
  }
  const links: Links = {
    address: (host) => `10.77.0.${host + 1}`,
    fork(host, entry, args = [], { idle = false, memoryDisk = false } = {}) {
      const node = [process.execPath, ...process.execArgv, fileURLToPath(entry), ...args]
      const command = memoryDisk ? [...onMemoryDisk(memoryFolder), ...node] : node
      const policy = idle ? '--idle' : '--other'
      return spawn('chrt', [policy, '0', 'ip', 'netns', 'exec', hostNames[host] as string, ...command], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
    },
    cut: (host, isDown) => void ip('-n', hub, 'link', 'set', `port${host}`, isDown ? 'down' : 'up'),
    // what the host sent is what its port of the switch has received
    sentBytes: (host) => {
      const table = execFileSync('ip', ['netns', 'exec', hub, 'cat', '/proc/net/dev']).toString()
      const line = table.split('\n').find((each) => each.trim().startsWith(`port${host}:`)) ?? ''
      return Number(line.split(':')[1]?.trim().split(/\s+/)[0])
    },
    [Symbol.dispose]() {
      for (const name of names) execFileSync('sh', ['-c', `ip netns del ${name} 2>/dev/null || true`])
      rmdirSync(memoryFolder)
    },
  }
  try {
    ip('netns', 'add', hub)
    ip('-n', hub, 'link', 'add', 'switch0', 'type', 'bridge')
    ip('-n', hub, 'link', 'set', 'switch0', 'up')
    for (const [host, name] of hostNames.entries()) {
      ip('netns', 'add', name)
      ip('-n', hub, 'link', 'add', `port${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
      ip('-n', hub, 'link', 'set', `port${host}`, 'master', 'switch0', 'up')
      ip('-n', name, 'addr', 'add', `${links.address(host)}/24`, 'dev', 'eth0')
      for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up')
      limit(host, hub, `port${host}`)
      limit(host, name, 'eth0')
    }
  } catch (error) {
    links[Symbol.dispose]()
    throw error
  }
  return links
}

/** Watches how busy the machine is: the share of its processors' time since the call. */
export function watchMachine(): () => number {
  const read = () => {
    const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/)
    const times = fields.slice(0, 8).map(Number)
    const total = times.reduce((sum, time) => sum + time, 0)
    return { total, idle: (times[3] ?? 0) + (times[4] ?? 0) }
  }
  const before = read()
  return () => {
    const now = read()
    return 1 - (now.idle - before.idle) / Math.max(1, now.total - before.total)
  }
}
