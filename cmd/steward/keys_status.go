package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"steward/internal/rotation"
)

func keysStatus() *cobra.Command {
	r := &rotating{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show keys, who holds them, and how many values each has sealed",
		Long: "Show the keys of the rings, which processes hold them and how many stored values each has sealed. Of the codec's keys nobody counts: " +
			"what Temporal keeps decides (see retire).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rings := rotation.Names()
			if cmd.Flags().Changed("ring") {
				rings = []string{r.ring}
			}
			var all []rotation.Status
			for _, r.ring = range rings {
				err := r.with(cmd.Context(), func(s *rotation.Service) error {
					status, err := s.Status(cmd.Context())
					all = append(all, status)
					return err
				})
				if err != nil {
					return err
				}
			}
			if r.asJSON {
				return printJSON(cmd.OutOrStdout(), map[string][]rotation.Status{"rings": all})
			}
			for _, status := range all {
				if err := printStatus(cmd.OutOrStdout(), status, time.Now()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}

func printStatus(out io.Writer, s rotation.Status, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "ring %s, from the %s, in %d processes\n", s.Ring, s.Source, len(s.Processes)) // Flush returns what goes wrong
	_, _ = fmt.Fprintln(w, "KEY\tSTATE\tHELD BY\tSEALS IN\tVALUES\tKNOWN FOR\tSEALED UNTIL")
	for _, k := range s.Keys {
		values := "-"
		if k.Rows != nil {
			values = strconv.FormatInt(*k.Rows, 10)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d of %d\t%d of %d\t%s\t%s\t%s\n", k.ID, k.State,
			k.HeldBy, len(s.Processes), k.SealsIn, len(s.Processes), values, age(k.Known, now), sealedUntil(k, now))
	}
	if s.Unmarked > 0 {
		_, _ = fmt.Fprintf(w, "?\tunmarked\t\t\t%d\t\t\n", s.Unmarked)
	}
	for _, p := range s.Processes {
		if p.Keys[0] != s.Keys[0].ID || !p.Follows {
			_, _ = fmt.Fprintf(w, "%s seals with %s\n", p, p.Keys[0])
		}
	}
	_, _ = fmt.Fprintln(w)
	return w.Flush()
}

func sealedUntil(k rotation.Key, now time.Time) string {
	switch {
	case k.SealsIn > 0:
		return "now"
	case k.Demoted != nil:
		return age(k.Demoted, now) + " ago"
	case k.Promoted == nil:
		return "never"
	}
	return "unknown"
}

// age is how long ago it was, in the largest unit that tells something.
func age(at *time.Time, now time.Time) string {
	if at == nil {
		return "-"
	}
	switch d := now.Sub(*at); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
