import { type Clock, deadline } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import { findProgram, startPiped } from '../../process/index.ts'
import { readLine } from '../gateway/server.ts'

/** A mount takes milliseconds. */
const MOUNT_MS = 10_000

/** Mounts what one table says, takes away the mount that the second line names, if any, and ends. Ends with the node, too. */
const SCRIPT = `PATH=/usr/bin:/bin:/usr/sbin:/sbin
IFS= read -r table && mount -a -T "$table" && echo ok && IFS= read -r staging && umount "$staging"`

/** A process of root that waits, so that a start begins no program. */
export type Mounter = {
  /** Mounts what a table says. Once. `staging`: what is no longer needed then. */
  mount(table: string, options?: { staging?: string }): Promise<void>
  /** It is not used, and ends. */
  leave(): void
}

/** `namespaceOf`: the process in whose mount namespace it is; undefined: this one's. */
export function createMounter(clock: Clock, { namespaceOf }: { namespaceOf?: number | undefined } = {}): Mounter {
  const shell = [programOf('bash'), '-p', '-c', SCRIPT]
  const [program = '', ...args] =
    namespaceOf === undefined ? shell : [programOf('nsenter'), `--mount=/proc/${namespaceOf}/ns/mnt`, '--', ...shell]
  const child = startPiped({ kind: 'mounter', program, args })
  child.on('error', () => {}).unref()
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => {})
  let problem = ''
  child.stderr.on('data', (chunk) => {
    problem = `${problem}${chunk}`.slice(0, 300)
  })
  return {
    async mount(table, { staging } = {}) {
      using limit = deadline(clock, MOUNT_MS, new TimeoutError('a mount takes too long'))
      limit.signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
      child.stdin.end(`${table}\n${staging === undefined ? '' : `${staging}\n`}`)
      const answer = await readLine(child.stdout).catch(() => '')
      if (answer !== 'ok')
        throw new UnavailableError(`the code could not be mounted: ${problem.trim() || 'no reason given'}`)
    },
    leave: () => void child.stdin.end(),
  }
}

function programOf(name: string): string {
  return findProgram(name) ?? `/usr/bin/${name}`
}
