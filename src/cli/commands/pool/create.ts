import { formatBytes, howMany } from '../../../base/format.ts'
import { nodeClient } from '../../client/node-client.ts'
import { argument, command, required, whole } from '../../command.ts'
import { bytes, cores, optionalBytes } from '../../size-options.ts'

export const poolCreate = command({
  name: 'pool create',
  summary: 'Make a pool: a container in which services of one author run side by side',
  details:
    'NAME is <group>-<owner address>-<toolchains joined by dots>, like web-7LK...-node.python. Services of that author whose toolchains are all in it run there once CONTAINERS in the policy lists the name. What it may use, all its runs use together. The node must be root, and its Docker engine on this machine.',
  args: { name: argument('NAME', 'its name, as in CONTAINERS') },
  options: {
    image: required(
      'IMAGE',
      'an image that the Docker engine has; thundercloud/node: Node.js as the node itself has it',
    ),
    memory: bytes('memory of all its runs together', '512MiB'),
    cpus: cores('cores of all its runs together', '1'),
    pids: whole('COUNT', 'processes and threads of all its runs together', { min: 1, max: 1_000_000, fallback: 512 }),
    data: optionalBytes(
      'disk for what its services keep in /data, all together: it is taken now, and stays until "pool erase" (default: none)',
    ),
  },
  async run(cli, { name, image, memory, cpus, pids, data }) {
    const client = await nodeClient(cli)
    const spec = {
      name,
      image,
      memoryBytes: memory,
      cpuMillicores: cpus,
      pids,
      ...(data !== undefined && { dataBytes: data }),
    }
    const pool = await client.pools.create(spec, { signal: cli.signal })
    const policy = await client.policy({ signal: cli.signal })
    const isListed = policy.facts.config.CONTAINERS.includes(name)
    cli.out.result(pool, () => [
      `Made ${pool.name}: ${formatBytes(pool.memoryBytes)}, ${howMany(pool.cpuMillicores / 1000, 'core', 'cores')}, ${howMany(pool.pids, 'process', 'processes')}, of ${pool.image}.`,
      ...(pool.dataBytes === undefined ? [] : [dataText(pool.dataBytes)]),
      isListed
        ? `Services of ${pool.owner} run in it from now on.`
        : `Nothing runs in it yet: add ${JSON.stringify(pool.name)} to CONTAINERS in the runner's config.json, then type "thundercloud policy apply FILE".`,
    ])
  },
})

function dataText(bytes: number): string {
  return `Its services keep what they write to /data: ${formatBytes(bytes)} for all together, and no share of it is reserved for one.`
}
