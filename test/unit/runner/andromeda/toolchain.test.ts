import { toolchain } from '../../../../src/runner/andromeda/rules/toolchain.ts'
import { OWN, STRANGER, snapshotOf } from '../../../fixtures/runner/runners.ts'
import { defers, fails, passes, table } from './table.ts'

const { capacity } = snapshotOf()

table(toolchain, [
  passes('an alias', { service: { toolchain: ['NodeJS'] }, message: 'node.js can run here (docker)' }),
  fails('docker and an unlisted one', {
    service: { toolchain: ['docker', 'go', 'node.js'] },
    message: 'go is not in PREFER_TOOLCHAIN.docker',
    needs: ['toolchain', 'one-of', 'c, c++, node.js, rust'],
  }),
  passes('docker alone', { service: { toolchain: ['docker'] } }),
  fails('docker, and listed for the host only', {
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['docker', 'node'] },
    message: 'node.js is not in PREFER_TOOLCHAIN.docker',
  }),
  fails('half in one list, half in the other', {
    settings: { PREFER_TOOLCHAIN: { docker: ['rust'], host: ['node'] } },
    service: { toolchain: ['rust', 'node'] },
    message: /is not in one list of PREFER_TOOLCHAIN$/,
  }),
  fails('unlisted', { service: { toolchain: ['golang'] }, message: 'go is not in one list of PREFER_TOOLCHAIN' }),
  fails('none', { service: { toolchain: [] }, message: /names no toolchain/ }),
  fails('nothing is preferred', {
    settings: { PREFER_TOOLCHAIN: {} },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  }),
  ...[['docker'], ['docker', 'node']].map((words) =>
    fails(`${words}, and nothing is granted in Docker`, {
      settings: { PREFER_TOOLCHAIN: { docker: [], host: ['node'] } },
      service: { toolchain: words },
      message: /^PREFER_TOOLCHAIN.docker is empty: nothing that asks for docker runs here$/,
    }),
  ),
  fails('none, and nothing is preferred', {
    settings: { PREFER_TOOLCHAIN: {} },
    service: { toolchain: [] },
    message: /PREFER_TOOLCHAIN is empty: nothing runs here$/,
  }),
  defers('no engine now', {
    service: { toolchain: ['docker', 'node'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host' }] } },
    message: 'docker, node.js would run in docker, which is not available for it now',
    needs: ['node.executors', 'one-of', 'docker'],
  }),
  defers('listed, and not installed', {
    service: { toolchain: ['rust'] },
    node: { capacity: { ...capacity, executors: [{ name: 'host', toolchains: ['node.js'] }] } },
  }),
  defers('an executor for the own address, and a stranger', {
    service: { author: STRANGER },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
  }),
  passes('an executor for the own address', {
    service: { author: OWN },
    node: { capacity: { ...capacity, executors: [{ name: 'host', ownOnly: true }] } },
    message: 'node.js can run here (host)',
  }),
])
