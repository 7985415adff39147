/**
 * The operator's files, read into one typed and validated configuration: the only place that reads files and the
 * environment for settings. A person's mistake is an InputError with one sentence: file, key, value, what is allowed.
 */
export { type Container, parseContainer } from './containers.ts'
export type { Configuration, Notice, OwnService, Policy } from './configuration.ts'
export type { Quotas, Timeouts } from './node-schema.ts'
export type { RunnerConfig } from './runner-schema.ts'
export { canonicalToolchain, findToolchain, type Toolchain, toolchains } from './toolchains.ts'
