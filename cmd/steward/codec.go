package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"steward/internal/app"
	"steward/internal/auth"
	"steward/internal/durable"
	"steward/internal/fault"
	"steward/internal/secret"
)

func codecCommand() *cobra.Command {
	codec := &cobra.Command{Use: "codec", Short: "Read Temporal's payloads"}
	codec.AddCommand(codecDecode(), codecTicket())
	return codec
}

func codecDecode() *cobra.Command {
	return &cobra.Command{
		Use:   "decode",
		Short: "Open the payloads on standard input, as Temporal's tools print them in JSON",
		Long:  `Open payloads: one as {"metadata": …, "data": …}, or several as {"payloads": […]}.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings("STEWARD_CODEC_KEYS")
			if err != nil {
				return err
			}
			ring, err := secret.NewRing(cfg.Keys.Codec)
			if err != nil {
				return err
			}
			sealed, err := readPayloads(cmd.InOrStdin())
			if err != nil {
				return err
			}
			opened, err := durable.Codec(ring).Decode(sealed)
			if err != nil {
				return err
			}
			for _, p := range opened {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", p.GetData()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// maxPayloads bounds what is read: Temporal's own limit of a message is 4 MB, in base64 here.
const maxPayloads = 16 << 20

func readPayloads(r io.Reader) ([]*commonpb.Payload, error) {
	doc, err := io.ReadAll(io.LimitReader(r, maxPayloads))
	if err != nil {
		return nil, fmt.Errorf("read payloads: %w", err)
	}
	var several commonpb.Payloads
	if err := protojson.Unmarshal(doc, &several); err == nil {
		return several.GetPayloads(), nil
	}
	var one commonpb.Payload
	if !json.Valid(doc) || protojson.Unmarshal(doc, &one) != nil {
		return nil, fault.New(fault.Malformed, "standard input is no payload in JSON")
	}
	return []*commonpb.Payload{&one}, nil
}

func codecTicket() *cobra.Command {
	var user string
	ticket := &cobra.Command{
		Use:   "ticket",
		Short: "Print a link that lets a browser read payloads in the Temporal Web UI",
		Long:  "Print a link, good once and for " + auth.DefaultTTL.String() + ", that gives a browser the right to decode for eight hours and goes on to the Temporal Web UI.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := settings("STEWARD_SIGNING_KEY")
			if err != nil {
				return err
			}
			tickets, err := app.Tickets(cfg)
			if err != nil {
				return err
			}
			text, err := tickets.Issue(auth.Grant{Subject: user, Role: auth.Admin, Scopes: []auth.Scope{auth.CodecDecode}})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s/codec/open?ticket=%s\n", cfg.HTTP.PublicURL, url.QueryEscape(text.Reveal()))
			return err
		},
	}
	ticket.Flags().StringVar(&user, "user", "demo", "who looks; the audit log names them")
	return ticket
}
