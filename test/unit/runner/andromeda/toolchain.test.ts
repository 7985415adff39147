import { toolchain } from '../../../../src/runner/andromeda/rules/toolchain.ts'
import { OWN, STRANGER, snapshotOf } from '../support.ts'
import { table } from './table.ts'

const { capacity } = snapshotOf()

table(toolchain, [
  { says: 'an alias', outcome: 'pass', service: { toolchain: ['NodeJS'] }, message: 'node.js can run here (docker)' },
  {
    says: 'docker and an unlisted one',
    outcome: 'fail',
    service: { toolchain: ['docker', 'go', 'node.js'] },
    message: 'go is not in PREFER_TOOLCHAIN.docker',
    needs: { field: 'toolchain', must: 'one-of', value: 'c, c++, node.js, rust' },
  },
  { says: 'docker alone', outcome: 'pass', service: { toolchain: ['docker'] } },
  {
    says: 'docker, and listed for the host only',
    outcome: 'fail',
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['docker', 'node'] },
    message: 'node.js is not in PREFER_TOOLCHAIN.docker',
  },
  {
    says: 'half in one list, half in the other',
    outcome: 'fail',
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['rust', 'node'] },
    message: /is not in one list of PREFER_TOOLCHAIN$/,
  },
  {
    says: 'unlisted',
    outcome: 'fail',
    service: { toolchain: ['golang'] },
    message: 'go is not in one list of PREFER_TOOLCHAIN',
  },
  { says: 'none', outcome: 'fail', service: { toolchain: [] }, message: /names no toolchain/ },
  {
    says: 'nothing is preferred',
    outcome: 'fail',
    settings: { PREFER_TOOLCHAIN: {} },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  },
  ...[['docker'], ['docker', 'node']].map((words) => ({
    says: `${words}, and nothing is granted in Docker`,
    outcome: 'fail' as const,
    settings: { PREFER_TOOLCHAIN: { docker: [], host: ['node'] } },
    service: { toolchain: words },
    message: /^PREFER_TOOLCHAIN.docker is empty: nothing that asks for docker runs here$/,
  })),
  {
    says: 'none, and nothing is preferred',
    outcome: 'fail',
    settings: { PREFER_TOOLCHAIN: {} },
    service: { toolchain: [] },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  },
  {
    says: 'no engine now',
    outcome: 'defer',
    service: { toolchain: ['docker', 'node'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host' }] } },
    message: 'docker, node.js would run in docker, which is not available for it now',
    needs: { field: 'node.executors', must: 'one-of', value: 'docker' },
  },
  {
    says: 'listed, and not installed',
    outcome: 'defer',
    service: { toolchain: ['rust'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host', toolchains: ['node.js'] }] } },
  },
  {
    says: 'an executor for the own address, and a stranger',
    outcome: 'defer',
    service: { author: STRANGER },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
  },
  {
    says: 'an executor for the own address',
    outcome: 'pass',
    service: { author: OWN },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
    message: 'node.js can run here (host)',
  },
])
