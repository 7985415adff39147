import { DOMParser, type Element } from '@xmldom/xmldom'

/** The elements of the last name, each inside of one of the name before. Throws where the text is no XML. */
export function elements(document: string, ...names: readonly string[]): Element[] {
  const parser = new DOMParser({
    onError: (level, message) => {
      if (level !== 'warning') throw new Error(message)
    },
  })
  const parsed = parser.parseFromString(document, 'text/xml')
  const [first = '', ...others] = names
  return others.reduce(
    (found, name) => found.flatMap((element) => [...element.getElementsByTagName(name)]),
    [...parsed.getElementsByTagName(first)],
  )
}
