import { bootstrapText } from '../../warm/bootstrap.ts'

/** In the folder that a container shows as /code until the code is mounted there. */
export const BOOTSTRAP_FILE = 'bootstrap.cjs'
/** Pipes: the order to begin, and what the program answers. */
export const ORDER_FILE = 'order'
export const ANSWER_FILE = 'answer'
/** The first to rename the message decides: the program to `taken` (the run begins), the node to `void` (it never does). */
export const MESSAGE_FILE = 'message'
export const TAKEN_FILE = 'taken'
export const VOID_FILE = 'void'

export const NO_CODE = 'the engine does not show code that is mounted later'

/** Its folder stays that of the files above, whatever is mounted at /code. Without an order, the node has gone. */
export const CONTAINER_BOOTSTRAP = bootstrapText(`const answer = fs.openSync('${ANSWER_FILE}', 'w')
const order = fs.openSync('${ORDER_FILE}', 'r')
fs.writeSync(answer, 'ready\\n')
if (fs.readSync(order, Buffer.alloc(16)) === 0) process.exit(125)
const [here, code] = ['.', '/code'].map((path) => fs.statSync(path))
if (here.dev === code.dev && here.ino === code.ino) {
  fs.writeSync(answer, '${NO_CODE}\\n')
  process.exit(125)
}
try {
  fs.renameSync('${MESSAGE_FILE}', '${TAKEN_FILE}')
} catch {
  process.exit(125)
}
message = fs.readFileSync('${TAKEN_FILE}', 'utf8')
try {
  fs.writeSync(answer, 'begun\\n')
} catch {
  // the node has gone, and finds the run again
}
for (const pipe of [answer, order]) fs.closeSync(pipe)`)
