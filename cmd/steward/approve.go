package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"steward/api"
	"steward/internal/app/client"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/tool"
)

// answer is what the flags of approve say.
type answer struct {
	deny, check, retry, skip bool
	edit, reason, digest     string
}

func approveCommand() *cobra.Command {
	var c caller
	var a answer
	approve := &cobra.Command{
		Use:   "approve [RUN CALL]",
		Short: "Decide what a run asks; without arguments, list what waits for a decision",
		Long: "Approve a call that waits, or say with a flag what else to do. A call whose outcome is unknown is answered with --check, " +
			"--retry or --skip. The decision counts for the arguments that are shown; --digest binds it to those of an earlier listing.",
		Args: cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return fault.New(fault.Invalid, "name the run and the call, or neither")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			api, err := c.client()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listQuestions(cmd, api)
			}
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fault.New(fault.Invalid, "%s is not the number of a run", args[0])
			}
			return decide(cmd, api, id, args[1], a)
		},
	}
	c.flags(approve)
	flags := approve.Flags()
	flags.BoolVar(&a.deny, "deny", false, "do not send it")
	flags.StringVar(&a.edit, "edit", "", "send it with these arguments instead, a JSON object")
	flags.BoolVar(&a.check, "check", false, "unknown outcome: look again whether it was sent")
	flags.BoolVar(&a.retry, "retry", false, "unknown outcome: send it once more")
	flags.BoolVar(&a.skip, "skip", false, "unknown outcome: go on without it")
	flags.StringVar(&a.reason, "reason", "", "why; on --deny the model is told")
	flags.StringVar(&a.digest, "digest", "", "of the question as it was listed; default as it is now")
	approve.MarkFlagsMutuallyExclusive("deny", "edit", "check", "retry", "skip")
	return approve
}

func (a answer) verdict() automation.Verdict {
	switch {
	case a.deny:
		return automation.Deny
	case a.edit != "":
		return automation.Edit
	case a.check:
		return automation.Check
	case a.retry:
		return automation.Retry
	case a.skip:
		return automation.Skip
	}
	return automation.Approve
}

func decide(cmd *cobra.Command, c *client.Client, id int64, callID string, a answer) error {
	run, err := c.Run(cmd.Context(), id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(run.ToolCalls, func(call api.ToolCall) bool { return call.ID == callID })
	if i < 0 || run.ToolCalls[i].Question == nil {
		return fault.New(fault.Conflict, "run %d asks nothing about a call %s", id, callID)
	}
	d := client.Decision{Decision: string(a.verdict()), Digest: a.digest, Reason: a.reason}
	if d.Digest == "" {
		d.Digest = run.ToolCalls[i].Question.Digest
	}
	if a.edit != "" {
		if !json.Valid([]byte(a.edit)) {
			return fault.New(fault.Invalid, "--edit is not JSON")
		}
		d.Arguments = json.RawMessage(a.edit)
	}
	if err := printQuestion(cmd.OutOrStdout(), id, run.ToolCalls[i]); err != nil {
		return err
	}
	delivered, err := c.Decide(cmd.Context(), id, callID, d)
	if err != nil {
		return err
	}
	note := ""
	if !delivered {
		note = ", recorded; the run takes it when a worker is there"
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "decided: %s%s\n", d.Decision, note)
	return err
}

// listQuestions shows every open question of the user's recent runs.
func listQuestions(cmd *cobra.Command, c *client.Client) error {
	page, err := c.Runs(cmd.Context(), map[string][]string{"status": {"pending"}, "limit": {"200"}})
	if err != nil {
		return err
	}
	found := false
	for _, summary := range page.Runs {
		run, err := c.Run(cmd.Context(), summary.RunID)
		if err != nil {
			return err
		}
		for _, call := range run.ToolCalls {
			if call.Question == nil {
				continue
			}
			found = true
			if err := printQuestion(cmd.OutOrStdout(), run.RunID, call); err != nil {
				return err
			}
		}
	}
	if !found {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "nothing waits for a decision")
	}
	return err
}

func printQuestion(w io.Writer, run int64, call api.ToolCall) error {
	q := call.Question
	var arguments bytes.Buffer
	enc := json.NewEncoder(&arguments)
	enc.SetEscapeHTML(false) // an address is easier to judge as it is written
	enc.SetIndent("  ", "  ")
	if err := enc.Encode(q.Arguments); err != nil {
		return fmt.Errorf("print arguments: %w", err)
	}
	about := q.Kind
	if len(q.Explanation.Rules) == 0 { // they say it better
		about += ": " + tool.Clean(q.Reason, 400)
	}
	_, err := fmt.Fprintf(w, "run %d  call %s  %s/%s (%s)\n  %s\n", run, call.ID, tool.Clean(call.Server, 100), tool.Clean(call.Name, 100), call.Class, about)
	if err != nil {
		return err
	}
	for _, reason := range client.Reasons(q) {
		if _, err := fmt.Fprintf(w, "    %s\n", tool.Clean(reason, 400)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "  %s  digest %s\n  decide %s until %s\n", tool.Clean(arguments.String(), arguments.Len()), q.Digest,
		strings.Join(q.Verdicts, ", "), q.ExpiresAt.Local().Format("2006-01-02 15:04"))
	return err
}
