/**
 * The operator's files, read into one typed and validated configuration: the only place that reads files and the
 * environment for settings. A person's mistake is an InputError with one sentence: file, key, value, what is allowed.
 *
 * @example
 * const { configuration, notices } = await loadConfiguration(dir, { env: process.env })
 * const { signer, key } = await loadIdentity(dir)
 */

export { ALERT_NAMES, type AlertName, OTHER_ALERTS } from './alert-names.ts'
export { buildSettings } from './clients/build-settings.ts'
export { clientAccessReader } from './clients/client-access.ts'
export { readClientRegistries } from './clients/client-registries.ts'
export { findNpm } from './clients/npm.ts'
export type {
  ChecksumDatabase,
  ClientAccess,
  ClientAccessReader,
  ClientKind,
  ClientRegistries,
} from './clients/types.ts'
export type { Configuration, Notice, OwnService, Policy } from './configuration.ts'
export { API_TOKEN_FILE, NODE_FILE } from './constants.ts'
export { createFolder, refuseUnlessEmpty } from './create-folder.ts'
export { FILE_SCHEMAS, type FileKind, jsonSchemaOf, jsonSchemaText } from './docs/json-schema.ts'
export { commentedManifest } from './docs/manifest-template.ts'
export { keysOf, referenceText } from './docs/reference-docs.ts'
export { SERVICE_TEMPLATES, type ServiceTemplate } from './docs/service-templates.ts'
export { SAMPLE_RUNNER } from './docs/templates.ts'
export type { Env } from './env.ts'
export type { AlertTarget } from './files/alerts-schema.ts'
export { loadDockerOptions } from './files/docker.ts'
export { dockerEnvironment } from './files/docker-environment.ts'
export { type HubSettings, loadHub, type ScannerSettings } from './files/hub-load.ts'
export { addressOf } from './files/known-addresses.ts'
export { executorOfList } from './files/listed-executors.ts'
export { loadManifest, manifestToBody, parseManifest, type Staples } from './files/manifest.ts'
export type { Manifest } from './files/manifest-schema.ts'
export { loadPolicyDraft, type PolicyDraft, readPolicy, readPolicyText } from './files/policy.ts'
export { registryOf } from './files/registries.ts'
export { imageAddresses, mirrorsOf, registryAddresses } from './files/registry-addresses.ts'
export type { RunnerConfig } from './files/runner-schema.ts'
export { type Identity, loadIdentity, loadToken } from './files/secrets.ts'
export { canonicalToolchain, findToolchain, toolchains } from './files/toolchains.ts'
export { makeFolder } from './folders.ts'
export { initFolder, newToken } from './init.ts'
export { defaultKeyPath, loadOrCreateKey, replaceKey } from './keys/author-key.ts'
export { hexText, newBlsKey } from './keys/bls-key.ts'
export { loadHubKey } from './keys/hub-key.ts'
export { loadHubSigner } from './keys/hub-signer.ts'
export { createKeyFile, newKeyPem, writeSecret } from './keys/key-file.ts'
export { loadConfiguration, loadEndpoint, loadRunnerLocation, loadRunnersFolder } from './load.ts'
export { transportProblem } from './network-fields.ts'
export { coversTarget, SELF_TARGET, targetParts } from './network-target.ts'
export { exists, MAX_SETTINGS_BYTES, readBytes, readJson, readSecret, readText, textToJson } from './read.ts'
export { openRuntimeDir, runtimeInit } from './runtime-dir.ts'
export { SettingsError } from './settings-error.ts'
export { membersOf } from './statements/members.ts'
export {
  hubText,
  joinMembers,
  loadHubFile,
  loadMemberFile,
  memberText,
  type PublicHub,
} from './statements/members-file.ts'
export { loadStaples } from './statements/staples.ts'
export { readStatementFile } from './statements/statement-file.ts'
export { rangeOf } from './zod-fields.ts'
