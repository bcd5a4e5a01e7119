package main

import (
	"github.com/spf13/cobra"

	"steward/internal/app/doctor"
)

func doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing on this machine and how to get it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := doctor.Examine(cmd.Context())
			var err error
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), findings)
			} else {
				err = doctor.Write(cmd.OutOrStdout(), findings)
			}
			if err == nil && !doctor.Healthy(findings) {
				return exit(exitFailed)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
