package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"steward/dev/offline"
	"steward/dev/sandbox/files"
	"steward/dev/sandbox/mailbox"
	"steward/internal/secret"
	"steward/internal/telemetry"
)

// sandboxCommand holds the bundled counterparts of a development stack. `steward dev` starts them.
func sandboxCommand() *cobra.Command {
	sandbox := &cobra.Command{Use: "sandbox", Short: "The bundled MCP servers and the offline model", Hidden: true}
	sandbox.AddCommand(sandboxMailbox(), sandboxFiles(), sandboxModel())
	return sandbox
}

func sandboxMailbox() *cobra.Command {
	var o mailbox.Options
	cmd := &cobra.Command{
		Use: "mailbox --mail DIR --outbox DIR", Short: "MCP server over stdio: a mailbox in a folder", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return mailbox.Run(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.Mail, "mail", "", "folder of the mails")
	cmd.Flags().StringVar(&o.Outbox, "outbox", "", "folder for what is sent")
	requireFlags(cmd, "mail", "outbox")
	return cmd
}

func sandboxFiles() *cobra.Command {
	var o files.Options
	cmd := &cobra.Command{
		Use: "files --root DIR", Short: "MCP server over stdio: text files in a folder", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return files.Run(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.Root, "root", "", "the folder")
	requireFlags(cmd, "root")
	return cmd
}

func sandboxModel() *cobra.Command {
	var address string
	var lifeline bool
	cmd := &cobra.Command{
		Use: "model --listen ADDRESS", Short: "The offline model: " + offline.Banner, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if lifeline {
				ctx = untilEOF(ctx, os.Stdin)
			}
			return serveModel(ctx, address)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "", "loopback address, such as 127.0.0.1:8081")
	cmd.Flags().BoolVar(&lifeline, "lifeline", false, "end when standard input does")
	requireFlags(cmd, "listen")
	return cmd
}

func serveModel(ctx context.Context, address string) error {
	server, err := offline.New(offline.Options{Log: telemetry.Logger(os.Stderr, slog.LevelInfo, secret.NewRedactor())})
	if err != nil {
		return err
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("offline model: %w", err)
	}
	return server.Serve(ctx, l)
}
