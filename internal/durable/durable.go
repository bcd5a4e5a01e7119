// Package durable is how we talk to Temporal: a client whose payloads and failures are sealed before they
// leave the process, the options of our workers, and the endpoint that lets people read payloads again.
package durable

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"steward/internal/secret"
)

// DataConverter is the SDK's default behind our codec. Client, worker and replayer must share it.
func DataConverter(ring *secret.Ring) converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), Codec(ring))
}

// FailureConverter seals messages and stack traces of failures too, which Temporal otherwise stores and
// shows as they are. Types of errors stay readable: they must hold no content.
func FailureConverter(ring *secret.Ring) converter.FailureConverter {
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: DataConverter(ring), EncodeCommonAttributes: true,
	})
}
