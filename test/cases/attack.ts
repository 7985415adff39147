import { expect } from 'vitest'
import { ATTACKS, type Seen } from '../../scripts/attack/attacks.ts'
import { setStage } from '../../scripts/attack/stage.ts'

/** Plays attacks in their short form against one node, and expects that all hold; what was seen is in the message. */
export async function expectHeld(...ids: readonly string[]): Promise<void> {
  await using stage = await setStage([])
  for (const id of ids) {
    const attack = ATTACKS.find((one) => one.id === id)
    if (attack === undefined) throw new Error(`there is no attack ${id}`)
    const seen: Seen = await stage.play(attack, 'short')
    expect(attack.held(seen), `${id}: ${attack.bound}\n${JSON.stringify(seen)}`).toBe(true)
  }
}
