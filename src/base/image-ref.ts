/** Docker's own registry: the one that is meant where a reference names none. Its API is at another name. */
export const DOCKER_HUB = 'docker.io'

export type ImageRef = {
  /** with its port, where it has one */
  readonly registry: string
  /** the repository, as the registry's API has it */
  readonly repository: string
  /** "sha256:..." where it names one, else its tag */
  readonly reference: string
}

/** "docker.io/library/nginx:1.27@sha256:..." -> docker.io and library/nginx. The first part is a host where it looks like one. */
export function parseImageRef(ref: string): ImageRef {
  const [name = '', digest] = ref.replace(/^[a-z]+:\/\//, '').split('@')
  const parts = name.split('/')
  const [first = ''] = parts
  const named = parts.length > 1 && (first.includes('.') || first.includes(':') || first === 'localhost')
  const registry = named ? first : DOCKER_HUB
  const [path = '', tag = 'latest'] = splitTag((named ? parts.slice(1) : parts).join('/'))
  return {
    registry,
    repository: path.includes('/') || registry !== DOCKER_HUB ? path : `library/${path}`,
    reference: digest ?? tag,
  }
}

function splitTag(path: string): string[] {
  const at = path.lastIndexOf(':')
  return at < 0 ? [path] : [path.slice(0, at), path.slice(at + 1)]
}
