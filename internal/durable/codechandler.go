package durable

import (
	"net/http"

	"go.temporal.io/sdk/converter"

	"steward/internal/secret"
)

// maxCodecBody is Temporal's limit of one message, four megabytes, in base64 and JSON.
const maxCodecBody = 8 << 20

// CodecHandler serves POST …/decode and …/encode in the form that the Temporal Web UI and CLI speak.
// Only the origin of the UI may read answers in a browser. protect is the caller's authentication,
// authorization and audit; it sees every request but the browser's preflight, which carries no credential.
func CodecHandler(ring *secret.Ring, origin string, protect func(http.Handler) http.Handler) http.Handler {
	inner := protect(http.MaxBytesHandler(converter.NewPayloadCodecHTTPHandler(Codec(ring)), maxCodecBody))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Add("Vary", "Origin")
		if r.Header.Get("Origin") == origin {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Allow-Credentials", "true")
			header.Set("Access-Control-Allow-Methods", "POST")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		inner.ServeHTTP(w, r)
	})
}
