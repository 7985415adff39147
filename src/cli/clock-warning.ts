import { checkClock } from './checks/machine.ts'
import type { Cli } from './cli.ts'

/**
 * Says once that this machine's clock is wrong, where its files or the HTTP origins of static nodes tell: nodes ignore what is
 * signed two minutes off, and nobody says why.
 */
export async function warnOfClock(
  { clock }: Pick<Cli, 'clock'>,
  facts: { folder: string | undefined; origins: readonly string[] },
  tell: (words: string) => void,
): Promise<void> {
  const { outcome, found, advice } = await checkClock(clock, facts)
  if (outcome === 'ok') return
  tell(`The clock of this machine is wrong: ${found}. Nodes ignore what is signed two minutes off; ${advice}.`)
}
