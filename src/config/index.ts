/**
 * The operator's files, read into one typed and validated configuration: the only place that reads files and the
 * environment for settings. A person's mistake is an InputError with one sentence: file, key, value, what is allowed.
 *
 * @example
 * const { configuration, notices } = await loadConfiguration(dir, { env: process.env })
 * const { signer, key } = await loadIdentity(dir)
 */
export { defaultKeyPath, loadOrCreateKey } from './author-key.ts'
export { hexText, newBlsKey } from './bls-key.ts'
export type { Configuration, Notice, OwnService, Policy } from './configuration.ts'
export { NODE_FILE } from './constants.ts'

export { loadDockerOptions } from './docker.ts'
export { dockerEnvironment } from './docker-environment.ts'
export type { Env } from './env.ts'
export { rangeOf } from './fields.ts'
export { loadHubKey } from './hub-key.ts'
export { type HubSettings, loadHub, type ScannerSettings } from './hub-load.ts'
export { loadHubSigner } from './hub-signer.ts'
export { initFolder } from './init.ts'
export { FILE_SCHEMAS, type FileKind, jsonSchemaOf, jsonSchemaText } from './json-schema.ts'
export { createKeyFile, newKeyPem } from './key-file.ts'
export { addressOf } from './known-addresses.ts'
export { loadConfiguration, loadEndpoint, loadRunnerPlace, loadRunnersFolder } from './load.ts'
export { loadManifest, manifestToBody, parseManifest, type Staples } from './manifest.ts'
export type { Manifest } from './manifest-schema.ts'
export { commentedManifest } from './manifest-template.ts'
export { membersOf } from './members.ts'
export {
  hubText,
  joinMembers,
  loadHubFile,
  loadMemberFile,
  memberText,
  type PublicHub,
} from './members-file.ts'

export { transportProblem } from './places.ts'
export { loadPolicyDraft, type PolicyDraft, readPolicy, readPolicyText } from './policy.ts'
export { SettingsError } from './problem.ts'
export { MAX_SETTINGS_BYTES, readJson, textToJson } from './read.ts'
export { keysOf, referenceText } from './reference.ts'
export type { RunnerConfig } from './runner-schema.ts'
export { openRuntimeDir, runtimeInit } from './runtime-dir.ts'
export { SAMPLE_RUNNER } from './samples.ts'
export { type Identity, loadIdentity, loadToken } from './secrets.ts'
export { loadStaples } from './staples.ts'
export { readStatementFile } from './statement-file.ts'
export { canonicalToolchain, findToolchain, toolchains } from './toolchains.ts'
