import { basename, dirname, resolve } from 'node:path'
import { InputError } from '../../base/errors.ts'
import { MAX_SETTINGS_BYTES, readBytes, readJson, readPolicy } from '../../config/index.ts'
import { check } from '../../config/settings-error.ts'
import { parseTopology } from '../plan/topology-file.ts'
import { type Scenario, scenarioSchema } from './scenario.ts'
import type { ScenarioKeys } from './schema.ts'

/** Ten million links. */
const MAX_TOPOLOGY_BYTES = 256 * 1024 * 1024
const ADVICE = 'name a scenario file; configs/scenarios has some'

/** Reads a scenario and all files that it names; their paths are relative to its own. A mistake is one sentence. */
export async function readScenario(path: string): Promise<Scenario> {
  const file = basename(path)
  return wholeScenario(await readJson(path, file, ADVICE), { file, folder: dirname(path) })
}

/** The same of what is in memory already. `file` is how messages call it. */
export async function wholeScenario(raw: unknown, of: { file: string; folder: string }): Promise<Scenario> {
  const { $schema: _schema, ...scenario } = check(scenarioSchema, raw, of.file)
  const groups = await Promise.all(
    scenario.groups.map(async (group, index) => {
      const key = `${of.file}: groups[${index}]`
      const policy = await policyOf(group.policy, key, of.folder)
      return { ...group, policy, runner: await runnerOf(group.runner, key, of.folder) }
    }),
  )
  return { ...scenario, groups, topology: await topologyOf(scenario, of) }
}

type Group = ScenarioKeys['groups'][number]

async function policyOf(policy: Group['policy'], key: string, folder: string): Promise<Record<string, unknown>> {
  if (typeof policy !== 'string') {
    readPolicy(policy, `${key}.policy`)
    return policy
  }
  const raw = await readJson(resolve(folder, policy), policy, `${key}.policy must name a runner's configuration`)
  readPolicy(raw, policy)
  return raw as Record<string, unknown>
}

async function runnerOf(runner: string, key: string, folder: string): Promise<string> {
  if (runner === 'andromeda') return runner
  const path = resolve(folder, runner)
  const advice = 'it must be "andromeda" or the file of a runner'
  await readBytes(path, { file: `${key}.runner (${JSON.stringify(runner)})`, advice, maxBytes: MAX_SETTINGS_BYTES })
  return path
}

async function topologyOf(
  { topology, nodes }: ScenarioKeys,
  { file, folder }: { file: string; folder: string },
): Promise<Scenario['topology']> {
  if (topology.kind !== 'file') return topology
  const bytes = await readBytes(resolve(folder, topology.path), {
    file: `${file}: topology.path (${JSON.stringify(topology.path)})`,
    advice: 'it must be a file with links, as GML or CSV',
    maxBytes: MAX_TOPOLOGY_BYTES,
  })
  const text = Buffer.from(bytes).toString('utf8')
  const links = parseTopology(text, topology.path)
  if (links.nodes !== nodes)
    throw new InputError(
      `${file}: nodes is ${nodes}, but ${topology.path} links ${links.nodes} nodes; they must be equal`,
    )
  return { kind: 'edges', edges: links.edges }
}
