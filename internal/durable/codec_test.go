package durable_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"steward/internal/durable"
	"steward/internal/fault"
	"steward/internal/secret"
)

const canary = "CANARY-correct-horse"

func newRing(t testing.TB) (*secret.Ring, string) {
	t.Helper()
	raw := make([]byte, secret.KeyBytes)
	_, err := rand.Read(raw)
	require.NoError(t, err)
	key := base64.URLEncoding.EncodeToString(raw)
	ring, err := secret.NewRing(secret.New(key))
	require.NoError(t, err)
	return ring, key
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	codec := durable.Codec(ring)
	rapid.Check(t, func(t *rapid.T) {
		in := make([]*commonpb.Payload, rapid.IntRange(0, 3).Draw(t, "n"))
		for i := range in {
			in[i] = &commonpb.Payload{
				Data:     []byte(strings.Repeat(rapid.String().Draw(t, "data"), rapid.IntRange(0, 200).Draw(t, "times"))),
				Metadata: map[string][]byte{"encoding": []byte("json/plain"), rapid.String().Draw(t, "name"): []byte("x")},
			}
		}
		sealed, err := codec.Encode(in)
		require.NoError(t, err)
		for _, p := range sealed {
			require.Equal(t, "binary/fernet", string(p.GetMetadata()["encoding"]))
			require.Equal(t, ring.KeyID(), string(p.GetMetadata()["key-id"]))
			require.Len(t, p.GetMetadata(), 2)
		}
		out, err := codec.Decode(sealed)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(in, out, protocmp.Transform()))
	})
}

func TestNothingReadableLeaves(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	payloads, err := durable.DataConverter(ring).ToPayloads(map[string]string{"prompt": canary}, canary, []byte(canary))
	require.NoError(t, err)
	require.NotContains(t, payloads.String(), "CANARY")
	var prompt map[string]string
	var text string
	var raw []byte
	require.NoError(t, durable.DataConverter(ring).FromPayloads(payloads, &prompt, &text, &raw))
	require.Equal(t, canary, prompt["prompt"])

	failures := durable.FailureConverter(ring)
	cause := temporal.NewApplicationErrorWithCause("could not send: "+canary, "ToolFailed", errors.New(canary), canary)
	failure := failures.ErrorToFailure(cause)
	require.NotContains(t, failure.String(), "CANARY")
	require.Contains(t, failure.String(), "ToolFailed", "types stay readable")
	require.Contains(t, failures.FailureToError(failure).Error(), canary)
}

func TestLargePayloadsAreCompressedFirst(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	sealed, err := durable.DataConverter(ring).ToPayload(strings.Repeat("the same words again ", 5000))
	require.NoError(t, err)
	require.Less(t, len(sealed.GetData()), 2000)
}

func TestKeysOfTheCodec(t *testing.T) {
	t.Parallel()
	old, oldKey := newRing(t)
	_, newKey := newRing(t)
	rotated, err := secret.NewRing(secret.New(newKey + "," + oldKey))
	require.NoError(t, err)
	sealed, err := durable.DataConverter(old).ToPayload("value")
	require.NoError(t, err)
	var got string
	require.NoError(t, durable.DataConverter(rotated).FromPayload(sealed, &got))
	require.Equal(t, "value", got)

	stranger, _ := newRing(t)
	err = durable.DataConverter(stranger).FromPayload(sealed, &got)
	require.Equal(t, secret.CodeNoKey, fault.CodeOf(err))
	require.ErrorContains(t, err, old.KeyID(), "it says which key is missing")

	stolen, err := old.Seal(secret.Binding{Owner: "alice", Purpose: "oauth", Ref: "1"}, []byte("refresh token"))
	require.NoError(t, err)
	sealed.Data = stolen
	err = durable.DataConverter(old).FromPayload(sealed, &got)
	require.Equal(t, secret.CodeMisplaced, fault.CodeOf(err), "a stored secret does not open as a payload")
}

func TestUnsealedPayloadsPass(t *testing.T) {
	t.Parallel()
	ring, _ := newRing(t)
	plain, err := converter.GetDefaultDataConverter().ToPayload("from an operator")
	require.NoError(t, err)
	var got string
	require.NoError(t, durable.DataConverter(ring).FromPayload(plain, &got))
	require.Equal(t, "from an operator", got)
}

func BenchmarkCodec(b *testing.B) {
	ring, _ := newRing(b)
	codec := durable.Codec(ring)
	in := []*commonpb.Payload{{Data: []byte(`{"RunID":17,"Step":3,"Seq":9,"Tokens":4711}`), Metadata: map[string][]byte{"encoding": []byte("json/plain")}}}
	sealed, err := codec.Encode(in)
	require.NoError(b, err)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			_, _ = codec.Encode(in)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = codec.Decode(sealed)
		}
	})
	b.ReportMetric(float64(len(sealed[0].GetData())), "sealed-bytes")
}
