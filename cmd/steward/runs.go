package main

import (
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"steward/api"
)

func runsCommand() *cobra.Command {
	var c caller
	var state string
	var asJSON bool
	runs := &cobra.Command{
		Use:   "runs",
		Short: "List recent runs, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := c.client()
			if err != nil {
				return err
			}
			filter := url.Values{}
			if state != "" {
				filter.Set("state", state)
			}
			page, err := api.Runs(cmd.Context(), filter)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), page)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			if _, err := fmt.Fprintln(w, "RUN\tSTATE\tACCEPTED\tTOOK\tMODEL\tTOKENS\tERROR"); err != nil {
				return err
			}
			for _, r := range page.Runs {
				_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%s\n", r.RunID, r.State,
					r.CreatedAt.Local().Format(time.DateTime), took(r), r.Model, r.Usage.TotalTokens, errorCode(r))
				if err != nil {
					return err
				}
			}
			return w.Flush()
		},
	}
	c.flags(runs)
	runs.Flags().StringVar(&state, "state", "", "only runs in this state")
	runs.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return runs
}

func took(r api.RunSummary) string {
	if r.FinishedAt == nil {
		return ""
	}
	return r.FinishedAt.Sub(r.CreatedAt).Round(10 * time.Millisecond).String()
}

func errorCode(r api.RunSummary) string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Code
}
