// A module instead of a file of JSON: json-server then keeps what it is sent in memory and writes nothing beside it.
module.exports = () => ({ posts: [{ id: 1, title: 'a post of the tests' }] })
