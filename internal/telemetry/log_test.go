package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
	"steward/internal/telemetry"
)

const canary = "canary-5f3c9a1e77"

func TestLogsHideSecretsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	redactor := secret.NewRedactor(secret.New(canary))
	type inner struct{ Note string }
	for name, log := range map[string]func(l *slog.Logger){
		"message":        func(l *slog.Logger) { l.Info("sent " + canary) },
		"string":         func(l *slog.Logger) { l.Info("m", "a", "x"+canary) },
		"error":          func(l *slog.Logger) { l.Info("m", "a", fmt.Errorf("wrapped: %w", errors.New(canary))) },
		"structure":      func(l *slog.Logger) { l.Info("m", "a", []inner{{canary}}) },
		"raw JSON":       func(l *slog.Logger) { l.Info("m", "a", json.RawMessage(`{"b":"`+canary+`"}`)) },
		"group":          func(l *slog.Logger) { l.WithGroup("g").With("a", canary).Info("m", slog.Group("h", "b", canary)) },
		"bearer":         func(l *slog.Logger) { l.Info("m", "a", "Authorization: Bearer "+canary) },
		"secret.String":  func(l *slog.Logger) { l.Info("m", "a", secret.New(canary)) },
		"not marshalled": func(l *slog.Logger) { l.Info("m", "a", func() string { return canary }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asJSON, asText bytes.Buffer
			log(telemetry.Logger(&asJSON, slog.LevelInfo, redactor))
			log(telemetry.Console(&asText, slog.LevelInfo, redactor))
			require.NotContains(t, asJSON.String(), canary)
			require.NotContains(t, asText.String(), canary)
			require.True(t, json.Valid(asJSON.Bytes()), asJSON.String())
		})
	}
}

func TestLogsKeepTheRest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.Logger(&out, slog.LevelInfo, secret.NewRedactor())
	log.Debug("below the level")
	log.Warn("audit checkpoint", "id", 7, "error", errors.New("disk full"), "list", []int{1, 2})
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	delete(line, "time")
	require.Equal(t, map[string]any{
		"level": "WARN", "msg": "audit checkpoint", "id": 7.0, "error": "disk full", "list": []any{1.0, 2.0},
	}, line)
}
