package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/rotation"
)

// keyResult is what add, promote and retire print as JSON.
type keyResult struct {
	Ring string `json:"ring"`
	Key  string `json:"key"`
	Done string `json:"done"` // added, promoted, retired
}

// say prints what was done to a key, and for a person what comes next.
func (r *rotating) say(cmd *cobra.Command, id, done, next string) error {
	out := cmd.OutOrStdout()
	if r.asJSON {
		return printJSON(out, keyResult{r.ring, id, done})
	}
	if next != "" {
		next = "; next: steward keys " + next
		if r.ring != rotation.Secrets {
			next += " --ring " + r.ring
		}
	}
	_, err := fmt.Fprintf(out, "key %s is %s%s\n", id, done, next)
	return err
}

func keysAdd() *cobra.Command {
	r := &rotating{}
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Make a key that opens and does not seal yet",
		Long: "Make a key, put it at the end of a ring in the keys file and print its id. Running processes hold it within a second. " +
			"A key that was added before and has never sealed is printed instead of making a further one.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.with(cmd.Context(), func(s *rotation.Service) error {
				id, err := s.Add(cmd.Context())
				if err != nil {
					return err
				}
				return r.say(cmd, id, "added", "promote "+id)
			})
		},
	}
	r.flags(cmd)
	return cmd
}

func keysPromote() *cobra.Command {
	r := &rotating{}
	p := rotation.Promotion{}
	cmd := &cobra.Command{
		Use:   "promote KEY",
		Short: "Let a key seal, and wait until every process seals with it",
		Long: "Let a key of a ring seal, and wait until every process seals with it. It refuses while a process does not hold the key: " +
			"that one could not open what the others seal.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Told = waiting(cmd, "follow")
			return r.with(cmd.Context(), func(s *rotation.Service) error {
				if err := s.Promote(cmd.Context(), args[0], p); err != nil {
					return err
				}
				next := "rewrap"
				if r.ring == rotation.Codec {
					next = "status" // what it has sealed stays
				}
				return r.say(cmd, args[0], "promoted", next)
			})
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&p.Force, "force", false, "although a process does not hold the key: for a system that is down")
	cmd.Flags().DurationVar(&p.Within, "within", time.Minute, "how long to wait for the processes")
	return cmd
}

func keysRetire() *cobra.Command {
	r := &rotating{}
	retire := rotation.Retirement{}
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "retire KEY",
		Short: "Take a key out of a ring for good",
		Long: "Take a key out of a ring for good, and wait until no process holds it. It refuses while the key seals somewhere or something may " +
			"still be sealed with it: stored values, or, of the codec, histories that Temporal keeps. Keep a copy of the key as long as you keep " +
			"back-ups from its time.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			retire.Told = waiting(cmd, "let go of the key")
			if cmd.Flags().Changed("older-than") {
				retire.Age = &age
			}
			return r.with(cmd.Context(), func(s *rotation.Service) error {
				var err error
				var end func()
				if retire.Histories, end, err = histories(s.Keys()); err != nil {
					return err
				}
				defer end()
				if err := s.Retire(cmd.Context(), args[0], retire); err != nil {
					return err
				}
				return r.say(cmd, args[0], "retired", "")
			})
		},
	}
	r.flags(cmd)
	cmd.Flags().DurationVar(&retire.Within, "within", time.Minute, "how long to wait for the processes")
	cmd.Flags().DurationVar(&age, "older-than", 0,
		"how long ago it must have sealed for the last time; default "+rotation.Settled.String()+", of the codec how long Temporal keeps histories")
	return cmd
}
