package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"steward/internal/config"
)

func keysCommand() *cobra.Command {
	keys := &cobra.Command{Use: "keys", Short: "Make the keys that seal and sign"}
	var file string
	generate := &cobra.Command{
		Use:   "generate",
		Short: "Add the keys that are missing to the keys file and print its path",
		Long: "Add the keys that are missing to the keys file (mode 0600) and print its path. Keys that are there stay as they are, " +
			"so it may be repeated.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				cfg, err := settings()
				if err != nil {
					return err
				}
				file = filepath.Join(cfg.Data, config.KeysFile)
			}
			if err := config.GenerateKeys(file); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), file)
			return err
		},
	}
	generate.Flags().StringVar(&file, "file", "", "path of the keys file; default "+config.KeysFile+" in the data folder")
	keys.AddCommand(generate)
	return keys
}
