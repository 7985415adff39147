/**
 * The one place that starts processes; see kinds.ts for what each kind may have.
 *
 * ```ts
 * const child = startProcess({ kind: 'unpack', program: process.execPath, args }, { stdio: ['pipe', 'pipe', 'pipe'] })
 * ```
 */
export type { ProcessSpec } from './command.ts'
export { killGroup } from './kill-group.ts'
export { findProgram } from './programs.ts'
export { type ProcessResult, runProcess } from './run.ts'
export { type ChildProcess, type Stdio, startPiped, startProcess } from './start.ts'
