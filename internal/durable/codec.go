package durable

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"steward/internal/secret"
)

// Metadata of a sealed payload. The key's id is for people: a history cannot be sealed anew, so it tells
// which key must stay in the ring until the history has gone.
const (
	encoding      = "binary/fernet"
	metadataKeyID = "key-id"
)

// binding keeps payloads and stored secrets apart even if somebody uses one key for both rings.
var binding = secret.Binding{Owner: "temporal", Purpose: "payload", Ref: "1"}

// Codec seals whole payloads, metadata included, with the first key of the ring and opens them with any.
// The ring compresses before it seals, as sealed bytes no longer compress. A payload that is not sealed
// passes through: an operator's tool may have sent it.
func Codec(ring *secret.Ring) converter.PayloadCodec { return codec{ring} }

type codec struct{ ring *secret.Ring }

// Encode implements converter.PayloadCodec.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		raw, err := proto.Marshal(p)
		if err != nil {
			return payloads, fmt.Errorf("marshal payload: %w", err)
		}
		sealed, err := c.ring.Seal(binding, raw)
		if err != nil {
			return payloads, fmt.Errorf("seal payload: %w", err)
		}
		keyID, token := secret.SealedBy(sealed) // what the ring says in front, a payload says in its metadata
		out[i] = &commonpb.Payload{Data: token, Metadata: map[string][]byte{
			converter.MetadataEncoding: []byte(encoding), metadataKeyID: []byte(keyID),
		}}
	}
	return out, nil
}

// Decode implements converter.PayloadCodec.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encoding {
			out[i] = p
			continue
		}
		raw, err := c.ring.Open(binding, p.GetData())
		if err != nil {
			return payloads, fmt.Errorf("open payload sealed with key %.8q: %w", p.GetMetadata()[metadataKeyID], err)
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(raw, out[i]); err != nil {
			return payloads, fmt.Errorf("unmarshal payload: %w", err)
		}
	}
	return out, nil
}
