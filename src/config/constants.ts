/** The files of an operator's folder. */
export const NODE_FILE = 'node.json'
export const SERVICES_FILE = 'services.json'
/** The node's own key: its address, and its libp2p identity. */
export const IDENTITY_FILE = 'identity.pem'
/** Its holder is the operator for the HTTP API. */
export const API_TOKEN_FILE = 'api.token'
/** 256 bits: it cannot be guessed. */
export const API_TOKEN_BYTES = 32
/** Copies of the JSON Schemas, so that an editor finds them beside the files that name them. */
export const SCHEMAS_DIR = 'schemas'
/** Problems of one file that are reported; a file with more of them is another kind of file. */
export const MAX_PROBLEMS = 20
