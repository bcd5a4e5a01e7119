// Command deps brings onto this machine what the tests need and Go does not: PostgreSQL, MariaDB, Redis, FerretDB, a C
// compiler for the race detector, Node, Python, a browser, and the npm and Python tools of the lock files beside it. It
// does nothing where all is there, and says what to type where it may not install. It runs in the repository's root.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

// need is one thing that tests cannot do without.
type need struct {
	name  string
	met   func(context.Context) (bool, error)
	bring func(context.Context) error
}

func needs() []need {
	npm, python := npmTools("dev/deps"), pythonTools("dev/deps")
	return []need{
		{"PostgreSQL", postgresMet, bringPostgres},
		{"system packages", packagesMet, bringPackages},
		{"npm tools", npm.met, npm.bring},
		{"Python tools", python.met, python.bring},
		{"FerretDB", ferretdbMet, bringFerretDB},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := meet(ctx, needs()); err != nil {
		fmt.Fprintln(os.Stderr, "deps:", err)
		os.Exit(1)
	}
}

// meet brings what is missing, in order.
func meet(ctx context.Context, needs []need) error {
	for _, n := range needs {
		met, err := n.met(ctx)
		if err != nil {
			return fmt.Errorf("look for %s: %w", n.name, err)
		}
		if met {
			continue
		}
		fmt.Fprintf(os.Stderr, "deps: installing %s\n", n.name)
		if err := n.bring(ctx); err != nil {
			return fmt.Errorf("install %s: %w", n.name, err)
		}
		switch met, err := n.met(ctx); {
		case err != nil:
			return fmt.Errorf("look for %s: %w", n.name, err)
		case !met:
			return errors.New(n.name + " was installed and still is not usable")
		}
	}
	return nil
}
