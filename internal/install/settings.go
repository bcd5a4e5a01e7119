package install

import (
	"encoding/json"
	"fmt"

	"steward/internal/install/python"
	"steward/internal/secret"
)

// settings are what a package's row holds sealed: the index for good, the rest until the server has it.
type settings struct {
	Index   python.Index
	Env     map[string]secret.String
	Headers map[string]secret.String
}

// plain is how settings are written before they are sealed.
type plain struct {
	Index   string            `json:"index,omitempty"`
	Extra   string            `json:"extra,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

func binding(serverName string) secret.Binding {
	return secret.Binding{Owner: "(admin)", Purpose: "package.settings", Ref: serverName}
}

// seal returns nil for settings that are empty.
func (s settings) seal(ring *secret.Ring, serverName string) ([]byte, error) {
	if s.Index == (python.Index{}) && len(s.Env) == 0 && len(s.Headers) == 0 {
		return nil, nil
	}
	doc, err := json.Marshal(plain{
		Index: s.Index.URL.Reveal(), Extra: s.Index.Extra.Reveal(), Env: revealed(s.Env), Headers: revealed(s.Headers),
	})
	if err != nil {
		return nil, fmt.Errorf("encode package settings: %w", err)
	}
	return ring.Seal(binding(serverName), doc)
}

func openSettings(ring *secret.Ring, serverName string, sealed []byte) (settings, error) {
	if len(sealed) == 0 {
		return settings{}, nil
	}
	doc, err := ring.Open(binding(serverName), sealed)
	if err != nil {
		return settings{}, err
	}
	var p plain
	if err := json.Unmarshal(doc, &p); err != nil {
		return settings{}, fmt.Errorf("decode package settings: %w", err)
	}
	return settings{
		Index: python.Index{URL: secret.New(p.Index), Extra: secret.New(p.Extra)}, Env: wrapped(p.Env), Headers: wrapped(p.Headers),
	}, nil
}

func revealed(values map[string]secret.String) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		out[name] = v.Reveal()
	}
	return out
}

func wrapped(values map[string]string) map[string]secret.String {
	out := make(map[string]secret.String, len(values))
	for name, v := range values {
		out[name] = secret.New(v)
	}
	return out
}
