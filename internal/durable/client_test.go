package durable_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/worker"

	"steward/internal/durable"
	"steward/internal/fault"
)

// environment is a lookup that sees nothing of this machine.
type environment map[string]string

func (e environment) Environ() []string { return nil }

func (e environment) LookupEnv(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

func isolated(t *testing.T, vars environment) environment {
	t.Helper()
	if vars["TEMPORAL_CONFIG_FILE"] == "" {
		vars["TEMPORAL_CONFIG_FILE"] = filepath.Join(t.TempDir(), "none.toml")
	}
	return vars
}

func TestProfile(t *testing.T) {
	t.Parallel()
	profile, err := durable.Profile(isolated(t, environment{"TEMPORAL_ADDRESS": "temporal.test:7233", "TEMPORAL_NAMESPACE": "steward"}))
	require.NoError(t, err)
	require.Equal(t, "temporal.test:7233", profile.Address)
	require.Equal(t, "steward", profile.Namespace)

	broken := filepath.Join(t.TempDir(), "broken.toml")
	require.NoError(t, os.WriteFile(broken, []byte("hunter2 = ["), 0o600))
	_, err = durable.Profile(environment{"TEMPORAL_CONFIG_FILE": broken})
	require.True(t, fault.Is(err, fault.Invalid))
}

// The API starts while Temporal is down; a call fails, and soon.
func TestClientStartsWithoutTemporal(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	profile, err := durable.Profile(isolated(t, environment{"TEMPORAL_ADDRESS": "127.0.0.1:1"}))
	require.NoError(t, err)
	c, err := durable.NewClient(durable.Options{Profile: profile, Codec: ring, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
	require.Error(t, err)

	_, err = durable.NewClient(durable.Options{Profile: profile})
	require.Error(t, err)
	profile.TLS = &envconfig.ClientConfigTLS{ClientCertPath: "/nonexistent", ClientKeyPath: "/nonexistent"}
	_, err = durable.NewClient(durable.Options{Profile: profile, Codec: ring, Log: slog.Default()})
	require.True(t, fault.Is(err, fault.Invalid))
}

func TestWorkerOptions(t *testing.T) {
	t.Parallel()
	o := durable.WorkerOptions()
	require.Equal(t, time.Second, o.MaxHeartbeatThrottleInterval)
	require.Equal(t, 30*time.Second, o.WorkerStopTimeout)
	require.Equal(t, 2*time.Second, o.StickyScheduleToStartTimeout)
	require.True(t, o.DisableRegistrationAliasing)
	require.Equal(t, worker.Options{}.WorkflowPanicPolicy, o.WorkflowPanicPolicy, "a non-deterministic workflow waits for a fix")
}
