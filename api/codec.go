package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/store"
)

// codecPrefix is where the Temporal Web UI, another origin, may send requests to.
const codecPrefix = "/codec/"

// codec opens and seals payloads for the Temporal Web UI, in the form of the SDKs' remote codec.
type codec struct {
	db       *store.DB
	payloads converter.PayloadCodec
}

// payload is one Temporal payload as protobuf's JSON writes it: bytes in base64.
type payload struct {
	_ struct{} `additionalProperties:"true"` // newer servers add members; they are not needed to read a payload

	Metadata map[string][]byte `json:"metadata,omitempty" doc:"Encoding and the like; values in base64."`
	Data     []byte            `json:"data,omitempty" doc:"The content, in base64." example:"eyJydW5faWQiOjF9"`
}

type payloadsBody struct {
	_ struct{} `additionalProperties:"true"`

	Payloads []payload `json:"payloads" maxItems:"1000" doc:"The payloads, answered in the same order."`
}

type payloadsMessage struct{ Body payloadsBody }

type decodeInput struct {
	PreserveStorageRefs string `query:"preserveStorageRefs" maxLength:"5" doc:"Sent by the Temporal Web UI: payloads that are kept elsewhere stay references. Steward keeps none elsewhere." example:"true"`

	Body payloadsBody
}

func (h *codec) register(api huma.API) {
	opened := payloadsBody{Payloads: []payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`{"run_id":1}`)}}}
	sealed := payloadsBody{Payloads: []payload{{Metadata: map[string][]byte{"encoding": []byte("binary/fernet")}, Data: []byte("gAAAAABn…")}}}
	allowed := access{scope: auth.CodecDecode, cookie: true}
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "decodePayloads", Method: http.MethodPost, Path: codecPrefix + "decode", Tags: []string{"codec"},
			Summary: "Decode payloads",
			Description: "For the Temporal Web UI: its codec endpoint is `<this server>/codec`, with cross-origin credentials. The cookie that " +
				"`/codec/open` sets, or a Bearer token, must allow `codec:decode`. Who decodes is written in the audit log, what was read is not.",
		},
		access: allowed, asks: sealed, answers: opened,
	}, h.decode)
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "encodePayloads", Method: http.MethodPost, Path: codecPrefix + "encode", Tags: []string{"codec"},
			Summary:     "Encode payloads",
			Description: "The reverse of decoding, for input that a person gives to a workflow in the Temporal Web UI.",
		},
		access: allowed, asks: opened, answers: sealed,
	}, h.encode)
}

func (h *codec) decode(ctx context.Context, in *decodeInput) (*payloadsMessage, error) {
	p, err := principal(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.record(ctx, p.Actor, len(in.Body.Payloads)); err != nil {
		return nil, err
	}
	return translate(in.Body, h.payloads.Decode)
}

func (h *codec) encode(_ context.Context, in *payloadsMessage) (*payloadsMessage, error) {
	return translate(in.Body, h.payloads.Encode)
}

// record notes who looks into payloads, before they are shown. The UI decodes on every page, so a person
// gets one row a minute: its key repeats within the minute, and a known key writes nothing.
func (h *codec) record(ctx context.Context, actor string, payloads int) error {
	return h.db.Tx(ctx, func(q *store.Queries) error {
		return audit.Put(ctx, q, audit.Event{
			Chain: automation.AuditSystem, Key: fmt.Sprintf("%s/%s/%d", audit.PayloadDecoded, actor, time.Now().Unix()/60),
			Kind: audit.PayloadDecoded, Actor: actor, Body: map[string]int{"payloads": payloads},
		})
	})
}

func translate(in payloadsBody, apply func([]*commonpb.Payload) ([]*commonpb.Payload, error)) (*payloadsMessage, error) {
	given := make([]*commonpb.Payload, 0, len(in.Payloads))
	for _, p := range in.Payloads {
		given = append(given, &commonpb.Payload{Metadata: p.Metadata, Data: p.Data})
	}
	made, err := apply(given)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "a payload cannot be decoded: it is damaged or sealed with a key that is gone").WithCode("undecodable")
	}
	out := &payloadsMessage{Body: payloadsBody{Payloads: []payload{}}}
	for _, p := range made {
		out.Body.Payloads = append(out.Body.Payloads, payload{Metadata: p.GetMetadata(), Data: p.GetData()})
	}
	return out, nil
}
