import { configureGlobal, readConfigureGlobal } from 'fast-check'

// What decides about one commit must say the same each time; elsewhere every run looks somewhere new, or where FC_SEED says.
const seed = process.env.FC_SEED ?? (process.env.CI === undefined ? undefined : 1_795_392_000)
if (seed !== undefined) configureGlobal({ ...readConfigureGlobal(), seed: Number(seed) })
