import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type EgressListener, hostsEntries } from '../../egress-targets.ts'
import type { ReadOnlyMount } from '../../types.ts'
import type { DockerHandle } from '../container-options.ts'

/** As an engine writes it into a container without a network. */
const ENGINE_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

/** Written in place, because the warm container has this very file mounted: its gateway was made before the run's names were known. */
export async function writeHosts(
  { socket }: Pick<DockerHandle, 'socket'>,
  listeners: readonly EgressListener[],
): Promise<ReadOnlyMount> {
  const path = join(dirname(socket), 'hosts')
  const entries = hostsEntries(listeners).map(([name, address]) => `${address}\t${name}\n`)
  await writeFile(path, [ENGINE_HOSTS, ...entries].join(''), { mode: 0o644 })
  return { path, as: '/etc/hosts' }
}
