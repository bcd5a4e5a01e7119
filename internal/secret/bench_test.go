package secret_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/secret"
)

func BenchmarkSealOpen(b *testing.B) {
	ring := newRing(b)
	for _, size := range []int{96, 4 << 10, 1 << 20} {
		plain := []byte(strings.Repeat(`{"id":17,"text":"some words to seal"} `, size/38+1)[:size])
		token, err := ring.Seal(alice, plain)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("seal/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				_, _ = ring.Seal(alice, plain)
			}
		})
		b.Run(fmt.Sprintf("open/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				_, _ = ring.Open(alice, token)
			}
		})
	}
}

func BenchmarkRedactor(b *testing.B) {
	var values []secret.String
	for i := range 20 {
		values = append(values, secret.New(fmt.Sprintf("%d-secret-value-%d", i*7919, i)))
	}
	r := secret.NewRedactor(values...)
	row := `{"id":"18c2","from":"Alice <alice@example.org>","subject":"Quarterly report: next steps","snippet":"Please find attached the report, see https://example.org/r?q=3","date":"2026-11-21T09:00:00Z","labels":["INBOX","UNREAD"]}`
	text := "[" + strings.TrimSuffix(strings.Repeat(row+",", 1<<20/len(row)), ",") + "]"
	b.Run("text", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_ = r.Text(text)
		}
	})
	b.Run("json", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_ = r.JSON([]byte(text))
		}
	})
	b.Run("preview", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			_ = r.Preview([]byte(text), 4096)
		}
	})
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			_ = secret.NewRedactor(values...)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	raw := json.RawMessage(`{"to":["bob@example.org"],"subject":"Hello","body":"` + strings.Repeat("words ", 100) + `","cc":null}`)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		_, _ = secret.Canonical(raw)
	}
}
