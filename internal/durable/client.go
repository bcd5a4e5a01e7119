package durable

import (
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"steward/internal/fault"
	"steward/internal/secret"
)

// Profile reads where Temporal is from TEMPORAL_* and the SDK's configuration file, as every Temporal
// tool does. A nil lookup means the process environment.
func Profile(lookup envconfig.EnvLookup) (envconfig.ClientConfigProfile, error) {
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{EnvLookup: lookup})
	if err != nil {
		return profile, fault.Wrap(err, fault.Invalid, "the TEMPORAL_* settings cannot be read").WithCode("invalid_settings")
	}
	return profile, nil
}

// Options are what a client needs; all fields are required.
type Options struct {
	Profile envconfig.ClientConfigProfile
	Codec   *secret.Ring // never the ring of stored secrets
	Log     *slog.Logger
}

// NewClient makes a client that connects when it is first used, so that a process starts while Temporal
// is away. Its calls then fail with gRPC's Unavailable until Temporal is back.
func NewClient(o Options) (client.Client, error) {
	if o.Codec == nil || o.Log == nil {
		return nil, errors.New("a Temporal client needs a codec ring and a logger")
	}
	options, err := o.Profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the TEMPORAL_* settings are not usable").WithCode("invalid_settings")
	}
	options.Logger = log.NewStructuredLogger(o.Log)
	options.DataConverter = DataConverter(o.Codec)
	options.FailureConverter = FailureConverter(o.Codec)
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("make Temporal client: %w", err)
	}
	return c, nil
}
