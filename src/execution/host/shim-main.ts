import { runShim } from './shim.ts'

/** Stays with one run on the host: `shim-main <folder of the run>`, with `warm` behind it from before there is one. It outlives the node, and the run does not outlive it. */
await runShim(process.argv[2] as string, { warm: process.argv[3] === 'warm' })
