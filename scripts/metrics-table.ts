import { COUNTERS, counterName, GAUGES, HISTOGRAMS, metricName } from '../src/metrics/index.ts'

const BEGIN = '<!-- metrics: made from src/metrics/definitions.ts -->'
const END = '<!-- /metrics -->'

/** The document with the table of all measures of a node in its place. */
export function withMetricsTable(document: string): string {
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]]
  if (before === undefined || after === undefined) throw new Error(`"${BEGIN}" and "${END}" must stand in the document`)
  return `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`
}

type Definition = { readonly help: string; readonly labels?: readonly string[] }

function table(): string {
  const rows = (kind: string, definitions: Readonly<Record<string, Definition>>, nameOf: (name: never) => string) =>
    Object.entries(definitions).map(
      ([name, { help, labels = [] }]) => `| \`${nameOf(name as never)}\` | ${kind} | ${labels.join(', ')} | ${help} |`,
    )
  return [
    '| name | kind | labels | |',
    '|---|---|---|---|',
    ...rows('gauge', GAUGES, metricName),
    ...rows('counter', COUNTERS, counterName),
    ...rows('histogram', HISTOGRAMS, metricName),
  ].join('\n')
}
