// The MongoDB-compatible server of the tests, which dev/deps builds. It is a module of its own because the server's
// dependencies are none of ours: the server has a lock file of its own, and go.sum here vouches for it.
module steward/dev/ferretdb

go 1.26.8

require github.com/FerretDB/FerretDB v1.24.2
