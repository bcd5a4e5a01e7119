package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"steward/internal/fault"
	"steward/internal/rotation"
)

func keysRewrap() *cobra.Command {
	r := &rotating{}
	cmd := &cobra.Command{
		Use:   "rewrap",
		Short: "Seal anew with the sealing key what older keys have sealed",
		Long: "Seal anew with the sealing key every stored value that older keys have sealed, while everything runs. It may be cut off and started " +
			"again, also several times at once. Values that no key opens are named and stay as they are; then the exit code is 1.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.with(cmd.Context(), func(s *rotation.Service) error {
				result, err := s.Rewrap(cmd.Context(), func(now rotation.Rewrapped) {
					_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d  %s\n", now.Resealed, now.Total, now.Column)
				})
				if err != nil {
					return err
				}
				if err := r.sayRewrapped(cmd.OutOrStdout(), result); err != nil {
					return err
				}
				if n := len(result.Failures); n > 0 {
					return fault.New(fault.Conflict, "%d values cannot be opened with any key of the ring", n).WithCode("unopened")
				}
				return nil
			})
		},
	}
	r.flags(cmd)
	return cmd
}

func (r *rotating) sayRewrapped(out io.Writer, result rotation.Rewrapped) error {
	if r.asJSON {
		return printJSON(out, result)
	}
	if _, err := fmt.Fprintf(out, "%d values are sealed anew with key %s\n", result.Resealed, result.Key); err != nil || len(result.Failures) == 0 {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "CANNOT BE OPENED\tROW\tREASON"); err != nil {
		return err
	}
	for _, f := range result.Failures {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", f.Column, f.Row, f.Reason); err != nil {
			return err
		}
	}
	return w.Flush()
}
