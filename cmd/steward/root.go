package main

import (
	"os"

	"github.com/spf13/cobra"

	"steward/internal/app/dev"
	"steward/internal/config"
)

// newRoot lists every command.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "steward",
		Short:         "Durable automations: a language model does real work with a person's tools, answerably",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		devCommand(), serveCommand(), migrateCommand(), keysCommand(), apiKeyCommand(), tokenCommand(),
		runCommand(), runsCommand(), approveCommand(), auditCommand(), codecCommand(), openAPICommand(),
		doctorCommand(), sandboxCommand(),
	)
	return root
}

// settings reads the environment and, for what it leaves out, the stack that `steward dev` runs on the
// data folder.
func settings(required ...string) (*config.Config, error) {
	return config.Load(dev.Lookup(os.LookupEnv), required...)
}
