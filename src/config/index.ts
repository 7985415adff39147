/**
 * The operator's files, read into one typed and validated configuration: the only place that reads files and the
 * environment for settings. A person's mistake is an InputError with one sentence: file, key, value, what is allowed.
 *
 * @example
 * const { configuration, notices } = await loadConfiguration(dir, { env: process.env })
 * const { signer, key } = await loadIdentity(dir)
 */
export { defaultKeyPath, loadOrCreateKey } from './author-key.ts'
export type { Configuration, Notice, OwnService, Policy } from './configuration.ts'
export { API_TOKEN_FILE, IDENTITY_FILE, NODE_FILE, SERVICES_FILE } from './constants.ts'
export { type Container, parseContainer } from './containers.ts'
export { type DockerOptions, loadDockerOptions } from './docker.ts'
export type { Env } from './env.ts'
export { type InitOptions, initFolder } from './init.ts'
export { FILE_SCHEMAS, type FileKind, jsonSchemaOf, jsonSchemaText } from './json-schema.ts'
export { type Loaded, type LoadOptions, loadConfiguration, loadEndpoint } from './load.ts'
export { loadManifest, manifestToBody, parseManifest, type Signing } from './manifest.ts'
export type { Manifest } from './manifest-schema.ts'
export { commentedManifest } from './manifest-template.ts'
export type { Quotas, Timeouts } from './node-schema.ts'
export { type LoadedPolicy, loadPolicy, readPolicy } from './policy.ts'
export { type KeyInfo, keysOf, referenceText } from './reference.ts'
export type { RunnerConfig } from './runner-schema.ts'
export { type Identity, loadIdentity, loadToken } from './secrets.ts'
export { canonicalToolchain, findToolchain, type Toolchain, toolchains } from './toolchains.ts'
