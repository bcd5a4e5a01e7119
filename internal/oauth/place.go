package oauth

import (
	"crypto/sha256"
	"encoding/hex"

	"steward/internal/oauth/remote"
)

// placeOf is what follows in the path of the callback at which we wait for an issuer's answers. Where we register
// ourselves, each issuer has a place of its own: one that sends browsers on to somebody else's consent page gets its
// flow's answer at the other's place, or none, and the code stays here (RFC 9700 §4.4.2.2).
//
// The other kinds share the bare path: a client that a person has registered leads to where that person was told, and
// our document is one for all. With the latter an answer must name its issuer.
func placeOf(kind remote.Kind, issuer string) string {
	if kind != remote.Registered {
		return ""
	}
	sum := sha256.Sum256([]byte(issuer))
	return hex.EncodeToString(sum[:8])
}

// redirectOf is the redirect URI of a registration.
func (s *Service) redirectOf(kind remote.Kind, issuer string) string {
	if place := placeOf(kind, issuer); place != "" {
		return s.callback(servers) + "/" + place
	}
	return s.callback(servers)
}

// readsDocument says whether our document is what an authority should know us by. One that does not promise to name
// itself in answers, and registers clients, gives us a place of its own instead.
func (a *serverAuthority) readsDocument() bool {
	m := &a.metadata
	return m.ClientIDMetadataDocumentSupported && (m.AuthorizationResponseIssParameterSupported || m.RegistrationEndpoint == "")
}
