package main

import (
	"log/slog"

	"go.temporal.io/sdk/client"

	"steward/internal/durable"
	"steward/internal/rotation"
	"steward/internal/secret"
)

// histories asks Temporal what it keeps; nothing is dialled yet.
func histories(codec *secret.Ring) (h *rotation.Histories, end func(), err error) {
	profile, err := durable.Profile(environment{})
	if err != nil {
		return nil, nil, err
	}
	temporal, err := durable.NewClient(durable.Options{Profile: profile, Codec: codec, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	namespace := profile.Namespace
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	h, err = rotation.NewHistories(temporal.WorkflowService(), namespace)
	return h, temporal.Close, err
}
