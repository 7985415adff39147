import { containers } from '../../../../src/runner/andromeda/rules/containers.ts'
import { passes, table } from './table.ts'

/** The seed's first container has this owner, in an older spelling. */
const OWNER = 'HUorKvAxAw5yVzSAH72sSCck6JmB9DKxC226RawegMLV'
const CONTAINERS = [
  'group1-WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq-node',
  'group1-JeVZcdi8TQZaX6TKhtSKLCzMQMRCx5JjsQTiGbAaLPXW-rust.node.go.python',
  `wide-ed25519:${OWNER}-node.js.Golang`,
]

table(containers, [
  passes('none', { message: 'CONTAINERS is empty' }),
  passes('of others', { settings: { CONTAINERS }, message: 'no shared container belongs to the author' }),
  passes('in any spelling of its owner', {
    settings: { CONTAINERS },
    service: { author: OWNER },
    message: `would fit into ${CONTAINERS[0]}, ${CONTAINERS[2]}; nothing runs in shared containers yet, so it gets a place of its own`,
  }),
  passes('all its toolchains', {
    settings: { CONTAINERS },
    service: { author: OWNER, toolchain: ['docker', 'node', 'go'] },
    message: /^would fit into wide-\S+;/,
  }),
  passes('not all of them', {
    settings: { CONTAINERS },
    service: { author: OWNER, toolchain: ['node', 'rust'] },
    message: "no shared container of the author's has all its toolchains",
  }),
])
