import { InputError } from '../../base/errors.ts'

type Links = { readonly nodes: number; readonly edges: [number, number][] }

/** The links of a file: GML where its name ends so, else CSV. `file` is how messages call it. */
export function parseTopology(text: string, file: string): Links {
  const edges = /\.gml$/i.test(file) ? parseGml(text, file) : parseCsv(text, file)
  const own = edges.find(([a, b]) => a === b)
  if (own !== undefined) throw new InputError(`${file} joins node ${own[0]} to itself; a link must join two nodes`)
  // nodes are numbered in the order of their own numbers
  const ids = [...new Set(edges.flat())].sort((a, b) => a - b)
  const numbers = new Map(ids.map((id, index) => [id, index]))
  return {
    nodes: ids.length,
    edges: edges.map(([a, b]) => [numbers.get(a) as number, numbers.get(b) as number]),
  }
}

/** Two columns of whole numbers, and perhaps a line with their names. */
function parseCsv(text: string, file: string): [number, number][] {
  const edges: [number, number][] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, a, b] = /^\s*"?(\d+)"?\s*[,;\t ]\s*"?(\d+)"?\s*([,;\t ].*)?$/.exec(line) ?? []
    if (a !== undefined && b !== undefined) edges.push([Number(a), Number(b)])
    else if (edges.length > 0 || index > 0)
      throw new InputError(`${file}: line ${index + 1} must begin with two node numbers, like "3,17"`)
  }
  if (edges.length === 0)
    throw new InputError(`${file} has no links; it must have lines with two node numbers, like "3,17"`)
  return edges
}

/** `edge [ source 3 target 17 ]`, with whatever else stands in it. */
function parseGml(text: string, file: string): [number, number][] {
  const edges: [number, number][] = []
  for (const [block] of text.matchAll(/\bedge\s*\[[^\]]*\]/g)) {
    const [source, target] = ['source', 'target'].map((key) => new RegExp(`\\b${key}\\s+(\\d+)`).exec(block)?.[1])
    if (source === undefined || target === undefined)
      throw new InputError(`${file}: an edge has no source and target, which must be node numbers`)
    edges.push([Number(source), Number(target)])
  }
  if (edges.length === 0)
    throw new InputError(`${file} has no edges; it must have blocks like edge [ source 0 target 1 ]`)
  return edges
}
