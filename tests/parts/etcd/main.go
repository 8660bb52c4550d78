// etcd, built from its server module: the module holds no main package that `go build` accepts by
// version.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
