import { expect } from 'vitest'
import { z } from 'zod'
import type { Api } from '../../../src/api/types.ts'

type Media = { schema: object }
type Described = {
  security?: object[]
  parameters?: { name: string }[]
  responses: Record<string, { content?: Record<string, Media> }>
}
type Document = { paths: Record<string, Record<string, Described>>; components: { schemas: Record<string, object> } }

/** One operation of the OpenAPI document. */
export type Operation = {
  /** `post /blocks/{kind}/{subject}` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly needsToken: boolean
  readonly described: Described
}

/** The document of this API. */
export async function readDocument(api: Pick<Api, 'fetch'>) {
  const document = (await (await api.fetch(new Request('http://127.0.0.1:4981/openapi.json'))).json()) as Document
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Operation & { pattern: RegExp } => ({
      ...{ name: `${method} ${path}`, method, path, described, needsToken: described.security !== undefined },
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    })),
  )
  // a fixed path before one with a parameter, as the routes are asked
  operations.sort((a, b) => a.path.split('{').length - b.path.split('{').length)

  return {
    operations,
    /** Fails unless the document has this answer to this request. What no operation is asked with, is not looked at. */
    async expectDeclared(request: Request, answer: Response): Promise<void> {
      const { pathname } = new URL(request.url)
      const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase()
      const operation = operations.find((one) => one.method === method && one.pattern.test(pathname))
      if (operation === undefined) return
      const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? ''
      const media = operation.described.responses[answer.status]?.content?.[type]
      expect(media, `${operation.name}: ${answer.status} as "${type}" is not in the document`).toBeDefined()
      if (!type.endsWith('json') || request.method === 'HEAD') return
      const { schemas } = document.components
      const text = JSON.stringify({ ...media?.schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/')
      const { error } = z.fromJSONSchema(JSON.parse(text)).safeParse(await answer.clone().json())
      expect(error?.issues ?? [], `${operation.name}: the body of ${answer.status} is not as in the document`).toEqual(
        [],
      )
    },
  }
}
