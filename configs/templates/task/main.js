import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

// /work on a node. What run.outputs names below it is kept for you when the task ends with exit code 0.
const work = process.env.HOME ?? '.'

const squares = Array.from({ length: 10 }, (_, index) => index ** 2)
await writeFile(join(work, 'result.json'), `${JSON.stringify({ squares })}\n`)
console.log(`${squares.length} squares are in result.json`)
