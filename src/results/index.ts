/**
 * What tasks left for their authors (`run.outputs`): packed when the task is done, kept for a time, bounded on the disk, and
 * given to those alone who have the right `results`.
 *
 * ```ts
 * const results = await createResults({ clock, log }, { dir, limits })
 * const supervisor = createSupervisor({ ...components, outputs: results.keeper }, init)
 * ```
 */
export { createNodeResults } from './node-results.ts'
export { outputsReason } from './result-texts.ts'
export { createResults } from './results.ts'
export { createResultsServer, RESULTS_STREAMS } from './results-server.ts'
export type { NodeResults, Results, ResultsView } from './types.ts'
