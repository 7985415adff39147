import { formatCount, formatMs, howMany } from '../../base/format.ts'
import { assertedText, assertionText, type Results } from '../../simulation/index.ts'
import { FailedError } from '../errors.ts'
import { table } from '../output/output.ts'

/** How a run is called in one line. Every report names the depth: what of a node is real. */
export function headLine({ title, nodes, seconds, seed, engine, depth }: Results): string {
  return `${title}: ${howMany(nodes, 'node', 'nodes')}, ${seconds} s of ${engine === 'live' ? 'real' : 'virtual'} time, seed ${seed}, engine ${engine} (depth: ${depth})`
}

export function resultLines(results: Results): string[] {
  const measured = Object.entries(results.values).filter(([, value]) => value !== null)
  return [
    headLine(results),
    '',
    ...table(
      ['METRIC', 'VALUE'],
      measured.map(([name, value]) => [name, numberText(value)]),
    ),
    '',
    ...results.assertions.map((each) =>
      each.ok ? `holds: ${assertedText(each)} ${each.op} ${each.value}` : assertionText(each),
    ),
    ...Object.entries(results.violations).flatMap(([id, sentences]) => sentences.map((words) => `${id}: ${words}`)),
    ...crashPointLines(results.crashPoints),
    `${formatCount(results.events.count ?? 0)} events in ${formatMs(results.cost.elapsedSeconds * 1000)}, sha256 ${results.sha256 ?? 'none'}`,
  ]
}

/** The numbers that `--crash` takes. results.json has those of each node. */
function crashPointLines(points: Results['crashPoints'] = []): string[] {
  if (points.length === 0) return []
  return [`crash points of a node: ${formatCount(Math.min(...points))} to ${formatCount(Math.max(...points))}`]
}

export function numberText(value: number | null): string {
  if (value === null) return '-'
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)))
}

/** Throws where an assertion does not hold or an invariant is broken: a scenario is a test. `where` is put before it. */
export function failWhereWrong(
  { assertions, violations }: Pick<Results, 'assertions' | 'violations'>,
  where = '',
): void {
  const wrong = assertions.filter(({ ok }) => !ok).length
  const broken = Object.keys(violations)
  const parts = [
    ...(wrong > 0 ? [`${howMany(wrong, 'assertion does', 'assertions do')} not hold`] : []),
    ...(broken.length > 0
      ? [`${howMany(broken.length, 'invariant is', 'invariants are')} broken: ${broken.join(', ')}`]
      : []),
  ]
  if (parts.length > 0) throw new FailedError(`${where}${parts.join(', and ')}`)
}
