/** Opened to a node that the opener's operator has named: "gossip with me". Nothing is sent on it. */
export const NEIGHBOUR_PROTOCOL = '/thundercloud/neighbour/1'
