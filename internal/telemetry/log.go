// Package telemetry is what a process tells about itself: its log, its metrics and, on a loopback listener
// of their own, profiles.
package telemetry

import (
	"encoding/json"
	"io"
	"log/slog"

	"steward/internal/secret"
)

// Logger writes one JSON object a line at level and above. The redactor is the last net: no caller logs a
// secret, but a driver's error may repeat one.
func Logger(w io.Writer, level slog.Leveler, redactor *secret.Redactor) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: redact(redactor)}))
}

// Console is Logger for a person at a terminal.
func Console(w io.Writer, level slog.Leveler, redactor *secret.Redactor) *slog.Logger {
	clean := redact(redactor)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.String(slog.TimeKey, a.Value.Time().Format("15:04:05.000"))
		}
		return clean(groups, a)
	}}))
}

// redact cleans every string that a record holds, also inside structures.
func redact(r *secret.Redactor) func([]string, slog.Attr) slog.Attr {
	return func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindString:
			a.Value = slog.StringValue(r.Text(a.Value.String()))
		case slog.KindAny:
			a.Value = redactAny(r, a.Value.Any())
		}
		return a
	}
}

func redactAny(r *secret.Redactor, value any) slog.Value {
	switch v := value.(type) {
	case nil, slog.Level, *slog.Source:
		return slog.AnyValue(v)
	case error:
		return slog.StringValue(r.Text(v.Error()))
	case json.RawMessage:
		return slog.AnyValue(json.RawMessage(r.JSON(v)))
	}
	doc, err := json.Marshal(value)
	if err != nil {
		return slog.StringValue("unprintable")
	}
	return slog.AnyValue(json.RawMessage(r.JSON(doc)))
}
