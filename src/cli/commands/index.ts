import type { CommandEntry } from '../command.ts'

/**
 * In the order in which help shows them: what an operator does first, then what a publisher does. Each is loaded when it is
 * called: `thundercloud list` must not wait for what a node needs.
 */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'init', load: async () => (await import('./init.ts')).init },
  { name: 'start', load: async () => (await import('./start.ts')).start },
  { name: 'doctor', load: async () => (await import('./doctor.ts')).doctor },
  { name: 'policy show', load: async () => (await import('./policy/show.ts')).policyShow },
  { name: 'policy check', load: async () => (await import('./policy/check.ts')).policyCheck },
  { name: 'policy test', load: async () => (await import('./policy/test.ts')).policyTest },
  { name: 'policy replay', load: async () => (await import('./policy/replay.ts')).policyReplay },
  { name: 'policy apply', load: async () => (await import('./policy/apply.ts')).policyApply },
  { name: 'trust delegate', load: async () => (await import('./trust/delegate.ts')).trustDelegate },
  { name: 'trust revoke', load: async () => (await import('./trust/delegate.ts')).trustRevoke },
  { name: 'trust tree', load: async () => (await import('./trust/tree.ts')).trustTree },
  { name: 'trust statements', load: async () => (await import('./trust/statements.ts')).trustStatements },
  { name: 'peers', load: async () => (await import('./peers.ts')).peers },
  { name: 'runner new', load: async () => (await import('./runner-new.ts')).runnerNew },
  { name: 'key new', load: async () => (await import('./key-new.ts')).keyNew },
  { name: 'key show', load: async () => (await import('./key-show.ts')).keyShow },
  { name: 'service new', load: async () => (await import('./service-new.ts')).serviceNew },
  { name: 'publish', load: async () => (await import('./publish.ts')).publish },
  { name: 'update', load: async () => (await import('./publish.ts')).update },
  { name: 'list', load: async () => (await import('./list.ts')).list },
  { name: 'status', load: async () => (await import('./status.ts')).status },
  { name: 'explain', load: async () => (await import('./explain.ts')).explain },
  { name: 'logs', load: async () => (await import('./logs.ts')).logs },
  { name: 'connect', load: async () => (await import('./connect.ts')).connect },
  { name: 'stop', load: async () => (await import('./stop.ts')).stop },
  { name: 'hub keygen', load: async () => (await import('./hub/keygen.ts')).hubKeygen },
  { name: 'hub members', load: async () => (await import('./hub/members.ts')).hubMembers },
  { name: 'hub attest', load: async () => (await import('./hub/attest.ts')).hubAttest },
  { name: 'hub freeze', load: async () => (await import('./hub/freeze.ts')).hubFreeze },
  { name: 'hub sign', load: async () => (await import('./hub/sign.ts')).hubSign },
  { name: 'hub combine', load: async () => (await import('./hub/combine.ts')).hubCombine },
  { name: 'hub publish', load: async () => (await import('./hub/publish.ts')).hubPublish },
  { name: 'hub watch', load: async () => (await import('./hub/watch.ts')).hubWatch },
  { name: 'demo', load: async () => (await import('./demo.ts')).demo },
]
