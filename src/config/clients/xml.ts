import { DOMParser, type Element } from '@xmldom/xmldom'

/** The elements `name` inside of each `parent`. Throws where the text is no XML. */
export function elements(document: string, parent: string, name: string): Element[] {
  const parser = new DOMParser({
    onError: (level, message) => {
      if (level !== 'warning') throw new Error(message)
    },
  })
  const parsed = parser.parseFromString(document, 'text/xml')
  return [...parsed.getElementsByTagName(parent)].flatMap((found) => [...found.getElementsByTagName(name)])
}
