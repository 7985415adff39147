// The runner that decides here. Its settings are in config.json beside it.
export { default } from 'thundercloud/andromeda'
