/**
 * The default runner. A runner file that is nothing but Andromeda:
 *
 *     export { default } from 'thundercloud/andromeda'
 */
import { andromeda, rules } from '../runner/andromeda/index.ts'

export type { PureRunner, Rule, RuleContext } from '../runner/andromeda/rule.ts'
export { andromeda, rules }

// biome-ignore lint/style/noDefaultExport: a runner is its module's default export
export default andromeda
