package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"steward/api"
	"steward/internal/app/client"
	"steward/internal/automation"
	"steward/internal/fault"
)

func runCommand() *cobra.Command {
	var c caller
	var r client.Request
	var b bounds
	var follow, noWait, asJSON bool
	run := &cobra.Command{
		Use:   `run "<instructions>"`,
		Short: "Start a run and print its number, or follow it to its end",
		Long: "Start a run and print its number. With --follow its timeline is shown as it happens and then its final text; the exit " +
			"code is 0 for success, 1 for every other end, and 3 when --no-wait is given and the run waits for a person.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			api, err := c.client()
			if err != nil {
				return err
			}
			r.Instructions = strings.Join(args, " ")
			if err := b.put(&r); err != nil {
				return err
			}
			id, err := api.Start(cmd.Context(), r)
			if err != nil {
				return err
			}
			if !follow {
				return printStarted(cmd.OutOrStdout(), id, asJSON)
			}
			out := cmd.OutOrStdout()
			if asJSON {
				out = cmd.ErrOrStderr() // standard output is for the document alone
			}
			if _, err := fmt.Fprintf(out, "run %d\n", id); err != nil {
				return err
			}
			end, err := api.Follow(cmd.Context(), id, out, !noWait)
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), end); err != nil {
					return err
				}
			}
			return outcome(end)
		},
	}
	c.flags(run)
	flags := run.Flags()
	flags.StringSliceVar(&r.Servers, "server", nil, "an MCP server to use, by name or number; default all")
	flags.StringSliceVar(&r.Connections, "connection", nil, "something connected to use, such as gmail; default all")
	flags.StringVar(&r.ToolName, "tool", "", "a tool to try first")
	flags.StringVar(&r.Approval, "approval", "", "when a person is asked: policy (default), always or never")
	flags.StringVar(&r.Mode, "mode", "", "who calls the tools: worker (default), or provider for remote MCP servers alone")
	flags.StringVar(&b.schema, "output-schema", "", "a file with the JSON Schema of an object that the answer must fit")
	flags.StringVar(&b.cost, "max-cost", "", "what the model may cost in US dollars, such as 0.50")
	flags.BoolVar(&follow, "follow", false, "show what happens until the run ends")
	flags.BoolVar(&noWait, "no-wait", false, "with --follow: end when the run waits for a person")
	flags.BoolVar(&asJSON, "json", false, "print JSON on standard output")
	return run
}

// bounds are flags that do not go into a request as they are.
type bounds struct{ schema, cost string }

func (b bounds) put(r *client.Request) error {
	if b.schema != "" {
		doc, err := os.ReadFile(b.schema)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "--output-schema: %s cannot be read", b.schema)
		}
		if !json.Valid(doc) {
			return fault.New(fault.Invalid, "--output-schema: %s is not JSON", b.schema)
		}
		r.OutputSchema = doc
	}
	if b.cost == "" {
		return nil
	}
	if json.Unmarshal([]byte(b.cost), &r.Limits.CostUSD) != nil || r.Limits.CostUSD == "" {
		return fault.New(fault.Invalid, "--max-cost: %s is not a number", b.cost)
	}
	return nil
}

func outcome(run *api.Run) error {
	switch state := automation.State(run.State); {
	case state == automation.Success:
		return nil
	case !state.Terminal():
		return exit(exitWaiting)
	}
	return exit(exitFailed)
}

func printStarted(w io.Writer, id int64, asJSON bool) error {
	if asJSON {
		return printJSON(w, map[string]int64{"run_id": id})
	}
	_, err := fmt.Fprintln(w, id)
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
