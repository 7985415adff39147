/** A node in one encrypted file: made while it runs, and the same node again from it. */
export { createBackup } from './create-backup.ts'
export { openBackup } from './restore-backup.ts'
export { checkPassphrase } from './sealed-file.ts'
