import { expect, test } from 'vitest'
import { parseImageRef } from '../../../src/base/image-ref.ts'

test.each([
  ['nginx', 'docker.io', 'library/nginx'],
  ['nginx:1.27', 'docker.io', 'library/nginx'],
  ['docker.io/nginx', 'docker.io', 'library/nginx'],
  ['docker.io/library/nginx:1@sha256:aa', 'docker.io', 'library/nginx'],
  ['ghcr.io/a/b:c', 'ghcr.io', 'a/b'],
  ['ghcr.io/app@sha256:aa', 'ghcr.io', 'app'],
  ['localhost:5000/app', 'localhost:5000', 'app'],
  ['https://localhost:5000/a/b', 'localhost:5000', 'a/b'],
  ['thundercloud/node', 'docker.io', 'thundercloud/node'],
])('%s is of %s, as %s', (ref, registry, repository) => {
  expect(parseImageRef(ref)).toMatchObject({ registry, repository })
})

test.each([
  ['nginx', 'latest'],
  ['nginx:1.27', '1.27'],
  ['localhost:5000/a/b', 'latest'],
  ['ghcr.io/a/b:c@sha256:aa', 'sha256:aa'],
])('%s names %s', (ref, reference) => expect(parseImageRef(ref)).toMatchObject({ reference }))
