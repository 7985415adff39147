import { errnoOf, messageOf } from '../../base/errors.ts'
import { describeEngine, isLoopback } from './address.ts'
import type { DockerConfig } from './types.ts'

/** The sentence for an engine that gave no answer: what is wrong, and what would help. */
export function connectionErrorText(error: unknown, config: DockerConfig): string {
  const code = errnoOf(error) ?? ''
  const engine = `the Docker engine at ${describeEngine(config)}`
  // Under a unix socket, or none at all: what a person meets first.
  if (config.protocol !== 'https' && isLoopback(config)) return localErrorText(error, code, config)
  return (
    tlsErrorText(code, engine, config) ??
    routeErrorText(code, engine, config) ??
    `${engine} ${noAnswerText(error, code)}`
  )
}

function localErrorText(error: unknown, code: string, config: DockerConfig): string {
  const place = describeEngine(config)
  const key = config.host === undefined ? 'socketPath' : 'port'
  if (code === 'EACCES')
    return `the Docker engine at ${place} does not let this user in: add it to the "docker" group, or set DOCKER_HOST to a rootless engine's socket`
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK')
    return `no Docker engine answers at ${place}: start dockerd (install docker.io), or say where it is with DOCKER_CONFIGS.${key} in the policy, or DOCKER_HOST`
  if (messageOf(error).includes('HTTPS server'))
    return 'the Docker engine wants TLS: set DOCKER_CONFIGS.protocol to "https", with ca, cert and key'
  return `the Docker engine ${noAnswerText(error, code)}`
}

function noAnswerText(error: unknown, code: string): string {
  return `does not answer (${code === '' ? messageOf(error) : code})`
}

function tlsErrorText(code: string, engine: string, { host }: DockerConfig): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${engine} has expired: renew it there`
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${engine} is not valid yet: compare the clocks of the two machines`
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return `${engine} shows a certificate that DOCKER_CONFIGS.ca has not signed: name the PEM of the authority that did`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${engine} is not for "${host}": use a name that it contains, or make one for this name`
    case 'ERR_OSSL_X509_KEY_VALUES_MISMATCH':
      return 'DOCKER_CONFIGS.key does not belong to DOCKER_CONFIGS.cert: name the two files that were made together'
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return `${engine} does not speak TLS: start dockerd with --tlsverify, or correct DOCKER_CONFIGS.port`
  }
  if (/^ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA)/.test(code))
    return `${engine} does not accept our certificate: DOCKER_CONFIGS.cert must be signed by the authority in its --tlscacert, and not expired`
  // The library has many messages for a text that it cannot parse.
  if (code.startsWith('ERR_OSSL_')) return 'DOCKER_CONFIGS.cert or key is no PEM file of a certificate or a key'
  return undefined
}

function routeErrorText(code: string, engine: string, { host }: DockerConfig): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `${engine} is not there: start dockerd with --host tcp://... --tlsverify, or correct DOCKER_CONFIGS.port`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name of ${engine} is not known here: correct DOCKER_CONFIGS.host, or the name service`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `no way leads to ${engine} (${code}): look at the network and the firewall between here and "${host}"`
    default:
      return undefined
  }
}
