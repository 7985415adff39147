import { runShim } from '../host/shim.ts'
import { beginCommand } from './command.ts'

/** Stays with one run in a pool: `shim-main <folder of the run>`. It outlives the node. */
await runShim(process.argv[2] as string, { begin: beginCommand })
