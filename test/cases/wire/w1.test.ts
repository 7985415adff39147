import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const readme = readFileSync(new URL('../../../protocols/README.md', import.meta.url), 'utf8')

it('the specification, not a library, says which R is refused, and before what', () => {
  const section = readme.slice(readme.indexOf('## 4 Signatures'), readme.indexOf('## 5 Service'))
  expect(section).toContain('`R` is no point of small order')
  expect(section).toMatch(/before any library sees it/)
  expect(section).not.toMatch(/OpenSSL verify so/)
})
