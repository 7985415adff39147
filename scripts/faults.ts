import { allFaults } from './faults/fault.ts'
import { findFault } from './faults/find.ts'
import { createPatchedTree } from './faults/patched-tree.ts'

/** Puts known faults into a copy of the sources, one after another, and runs the scenario of each. Names choose some. */
const names = process.argv.slice(2)
const all = allFaults()
const unknown = names.filter((name) => !all.some((fault) => fault.name === name))
if (unknown.length > 0) {
  console.error(`no fault is called ${unknown.join(', ')}; known are ${all.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = all.filter(({ name }) => names.length === 0 || names.includes(name))
await using tree = await createPatchedTree()
let missed = 0
for (const fault of chosen) {
  const { found, said } = await findFault(tree, fault)
  if (!found) missed++
  console.log(`${found ? 'found ' : 'MISSED'} ${fault.name} (${fault.breaks}): ${said}`)
}
console.log(`${chosen.length - missed} of ${chosen.length} faults were found.`)
process.exitCode = missed > 0 ? 1 : 0
