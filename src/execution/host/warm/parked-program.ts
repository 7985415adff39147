import type { ParkedProgram } from './types.ts'

/** Where a sandbox has it until it has begun to wait. */
export const PARKED_PROGRAM_FILE = '/opt/thundercloud/parked.cjs'

/** The descriptor that the message comes by; it is closed before the service begins. */
export const PARKED_FD = 5

/**
 * Runs in the service's own sandbox, with nothing that the service has not: waits for one message, becomes what it says, and
 * runs the service's file as Node.js does with that of its command line.
 */
export const PARKED_PROGRAM = `'use strict'
const { closeSync, readSync, writeSync } = require('node:fs')
const { resolve } = require('node:path')
const { runMain } = require('node:module')
// what the first line of output needs
require('node:net')

writeSync(${PARKED_FD}, 'ready\\n')
const parts = []
for (let last = 0; last !== 10; ) {
  const part = Buffer.alloc(65536)
  const length = readSync(${PARKED_FD}, part)
  if (length === 0) process.exit()
  parts.push(part.subarray(0, length))
  last = part[length - 1]
}
closeSync(${PARKED_FD})
const { args, env, cwd } = JSON.parse(Buffer.concat(parts).toString())
for (const [name, value] of Object.entries(env)) process.env[name] = value
process.chdir(cwd)
process.argv.splice(1, 1, resolve(args[0]), ...args.slice(1))
delete require.cache[__filename]
runMain()
`

/** The same for a command of any kind: the message is a text that becomes it, to its end. */
export const PARKED_SHELL = `echo ready >&${PARKED_FD}; command=$(/usr/bin/cat <&${PARKED_FD}); exec ${PARKED_FD}<&-; eval "$command"`

/** One line. */
export function messageFor(program: ParkedProgram): string {
  return `${JSON.stringify(program)}\n`
}
