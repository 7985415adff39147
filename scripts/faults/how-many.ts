/** How many random scenarios ran. `wanted`: so many were to run, and the minutes may have been over before. */
export function howMany(runs: number, wanted?: { readonly runs: number; readonly minutes: number }): string {
  if (wanted === undefined || runs >= wanted.runs) return `${runs} random ${runs === 1 ? 'scenario' : 'scenarios'}`
  const minutes = `${wanted.minutes} ${wanted.minutes === 1 ? 'minute' : 'minutes'}`
  return `${runs} of ${wanted.runs} random scenarios (${wanted.runs} was not reached in ${minutes})`
}
