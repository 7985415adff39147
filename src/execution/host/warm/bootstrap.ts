import { bootstrapText } from '../../warm/bootstrap.ts'

/** Where a sandbox has NODE_BOOTSTRAP until it has begun to wait. */
export const BOOTSTRAP_FILE = '/opt/thundercloud/bootstrap.cjs'

/** The descriptor that the message comes by; it is closed before the service begins. */
export const BOOTSTRAP_FD = 5

export const NODE_BOOTSTRAP = bootstrapText(`fs.writeSync(${BOOTSTRAP_FD}, 'ready\\n')
const parts = []
for (let last = 0; last !== 10; ) {
  const part = Buffer.alloc(65536)
  const length = fs.readSync(${BOOTSTRAP_FD}, part)
  if (length === 0) process.exit()
  parts.push(part.subarray(0, length))
  last = part[length - 1]
}
fs.closeSync(${BOOTSTRAP_FD})
message = Buffer.concat(parts).toString()`)

/** The same for a command of any kind: the message is a text that becomes it, to its end. */
export const SHELL_BOOTSTRAP = `echo ready >&${BOOTSTRAP_FD}; command=$(/usr/bin/cat <&${BOOTSTRAP_FD}); exec ${BOOTSTRAP_FD}<&-; eval "$command"`
