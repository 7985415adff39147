import type { WarmProgram } from '../../warm/types.ts'

/** Where a sandbox has NODE_BOOTSTRAP until it has begun to wait. */
export const BOOTSTRAP_FILE = '/opt/thundercloud/bootstrap.cjs'

/** The descriptor that the message comes by; it is closed before the service begins. */
export const BOOTSTRAP_FD = 5

/**
 * Runs in the service's own sandbox, with nothing that the service has not: waits for one message, becomes what it says, and
 * runs the service's file as Node.js does with that of its command line.
 */
export const NODE_BOOTSTRAP = `'use strict'
const { closeSync, readSync, writeSync } = require('node:fs')
const { resolve } = require('node:path')
const { runMain } = require('node:module')
// what the first line of output needs
require('node:net')

writeSync(${BOOTSTRAP_FD}, 'ready\\n')
const parts = []
for (let last = 0; last !== 10; ) {
  const part = Buffer.alloc(65536)
  const length = readSync(${BOOTSTRAP_FD}, part)
  if (length === 0) process.exit()
  parts.push(part.subarray(0, length))
  last = part[length - 1]
}
closeSync(${BOOTSTRAP_FD})
const { args, env, cwd } = JSON.parse(Buffer.concat(parts).toString())
for (const [name, value] of Object.entries(env)) process.env[name] = value
process.chdir(cwd)
process.argv.splice(1, 1, resolve(args[0]), ...args.slice(1))
delete require.cache[__filename]
runMain()
`

/** The same for a command of any kind: the message is a text that becomes it, to its end. */
export const SHELL_BOOTSTRAP = `echo ready >&${BOOTSTRAP_FD}; command=$(/usr/bin/cat <&${BOOTSTRAP_FD}); exec ${BOOTSTRAP_FD}<&-; eval "$command"`

/** One line. */
export function messageFor(program: WarmProgram): string {
  return `${JSON.stringify(program)}\n`
}
